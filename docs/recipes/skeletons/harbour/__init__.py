"""Text messages that a provider delivers as they come: see README.md."""

from .webhook import CHANNEL

__all__ = ["CHANNEL"]
