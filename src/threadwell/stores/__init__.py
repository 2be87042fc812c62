"""Where resources are kept: the ``Store`` contract, and a module for each store."""
