"""In which way a practice has it told who has read what, beside its pages."""

from __future__ import annotations

from enum import StrEnum

from threadwell.intake.bad_setting import BadSetting
from threadwell.stores.contract import Store

_KIND = "read-receipts"


class Model(StrEnum):
    """``PAGES`` tells it in none of the ways that clients know, and is what holds at first."""

    PAGES = "pages"
    STATUS = "status"
    EXTENSION = "extension"
    TASK = "task"


async def receipt_model(store: Store, project: str) -> Model:
    """What was chosen."""
    kept = await store.get_private(_KIND, project)
    return Model(kept.decode()) if kept is not None else Model.PAGES


async def choose_receipts(store: Store, project: str, model: str) -> None:
    """Choose from now on; what was told before stays. Raises ``BadSetting`` for no such way."""
    if model not in list(Model):
        raise BadSetting(f"read receipts {model!r} is none of {', '.join(Model)}")
    await store.put_private(_KIND, project, model.encode())
