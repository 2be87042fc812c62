"""E-mail: mbox files, single mails and Maildirs become messages. See README.md."""

from threadwell.channels.email.reader import CHANNEL, read
from threadwell.channels.email.sniffing import sniff

__all__ = ["CHANNEL", "read", "sniff"]
