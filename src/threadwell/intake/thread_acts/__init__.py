"""What people do to threads and their messages: take back, correct, draft, close, join, read."""
