"""The composition root: the one place where channels, policies and stores are listed."""
