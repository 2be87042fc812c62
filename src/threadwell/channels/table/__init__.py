"""A documented table of messages, as CSV, JSON Lines or Parquet: see README.md."""

from threadwell.channels.table.mapping import BadColumn, Columns, parse_columns
from threadwell.channels.table.reader import CHANNEL, with_columns

__all__ = ["CHANNEL", "BadColumn", "Columns", "parse_columns", "with_columns"]
