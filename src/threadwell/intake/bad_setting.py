"""What is raised for a setting: by itself, as many who raise it need none of the settings."""

from __future__ import annotations


class BadSetting(ValueError):
    """A setting makes no sense; the message names it and says what would."""
