"""The export of a Slack workspace: see README.md."""

from threadwell.channels.slack.reader import CHANNEL

__all__ = ["CHANNEL"]
