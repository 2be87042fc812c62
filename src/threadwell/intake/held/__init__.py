"""What has to wait: how it is kept, and how it is listed and found again."""
