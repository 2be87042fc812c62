"""Who may ask: client registrations, signed tokens, and the endpoints that a login visits."""
