"""What one commit writes, and what it adds to the report."""
