"""Messages as they come: accounts, the journal that keeps deliveries, and taking it in."""
