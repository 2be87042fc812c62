"""Mails that a provider delivers by webhook, each made a mail again and read as any other."""
