"""What an app does for its patient: send, upload, read what is new, say what was read."""
