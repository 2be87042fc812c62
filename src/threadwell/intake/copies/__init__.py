"""Messages that meet others of the same id: which are copies, and what becomes of each."""
