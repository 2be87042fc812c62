"""One circle at a time: load it, place its messages, plan what has to change, and write that."""
