"""Rules are data: what happens by itself when a message comes, waits, or a session is over."""
