"""Who is behind an address: the people of a practice, and the ways between their addresses."""
