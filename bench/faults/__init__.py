"""What a server does under load and under faults, shown on a real one; each script by itself."""
