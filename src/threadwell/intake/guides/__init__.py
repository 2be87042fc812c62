"""Implementation guides are added to a store and removed from it; how writes are checked is set."""
