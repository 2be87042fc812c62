"""How busy a server is: its counters, how much it takes on at once, and what it tells of that."""
