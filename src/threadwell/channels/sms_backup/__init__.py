"""The XML that the Android app SMS Backup & Restore writes: see README.md."""

from threadwell.channels.sms_backup.reader import CHANNEL

__all__ = ["CHANNEL"]
