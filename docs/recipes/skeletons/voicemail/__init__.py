"""The transcripts of a phone system's voicemail: see README.md."""

from .reader import CHANNEL

__all__ = ["CHANNEL"]
