"""Who may see and write what: a view of the store for each caller, and the policies behind it."""
