"""A folder that is watched: whatever arrives there is imported, once it is whole."""

from threadwell.facade.watching.plan import Round, Watching
from threadwell.facade.watching.rounds import watch

__all__ = ["Round", "Watching", "watch"]
