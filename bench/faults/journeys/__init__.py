"""Ways that a message goes, each of which a process that does it may be killed on."""
