"""Replies: written into their thread, kept in the outbox with it, and sent by its own channel."""
