"""Which project a request is about, where a server has several."""
