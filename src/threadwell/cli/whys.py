"""Why a session is about whom it is about, in a cell of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadwell.intake import Why


def why_text(whys: Sequence[Why]) -> str:
    """Each reason once: ``Leo Castellano: named “Leo dry for 4”; Mia Castellano: …``.

    Where there is only one, whom it is about goes without saying.
    """
    texts = [
        f"{one.name}: {_reason(one)}" if len(whys) > 1 and one.name else _reason(one)
        for one in whys
    ]
    return "; ".join(texts) or "-"


def _reason(why: Why) -> str:
    match why.basis:
        case "named":
            return f"named “{why.words}”"
        case "sender":
            return "the sender can only be writing for them"
        case "address":
            return f"by address; whose it is, {why.by} has said" if why.by else "by address"
    chosen = f"chosen by {why.by}"
    return chosen if why.patient else f"nobody, {chosen}"
