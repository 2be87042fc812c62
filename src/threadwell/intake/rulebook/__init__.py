"""What a practice has said of what happens by itself: rules as they are read, and what they are
about."""
