"""Which Threadwell answers."""

from importlib.metadata import version

VERSION = version("threadwell")
