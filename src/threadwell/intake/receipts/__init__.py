"""Who has read what: noted, counted, and told in the ways that clients know."""
