"""Takes messages in: deduplicate, resolve people, place, assign, project, commit.

The one place that reads a store, decides and commits. Every batch of an import becomes visible
whole or not at all.
"""

from threadwell.intake.counts import Counts, Report
from threadwell.intake.importing import import_messages, replay
from threadwell.intake.quarantine import Quarantined, quarantine
from threadwell.intake.settings import (
    BadSetting,
    Settings,
    parse_duration,
    parse_options,
    parse_zone,
)

__all__ = [
    "BadSetting",
    "Counts",
    "Quarantined",
    "Report",
    "Settings",
    "import_messages",
    "parse_duration",
    "parse_options",
    "parse_zone",
    "quarantine",
    "replay",
]
