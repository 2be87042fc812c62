"""Who is meant by what somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadwell.cli.errors import Mistake

if TYPE_CHECKING:
    from threadwell.facade import Threadwell


def patient_meant(tw: Threadwell, who: str) -> str:
    """The id of the patient whose name, id or reference that is; ``""`` of nobody.

    Raises ``Mistake`` where there is none, or are several.
    """
    id_ = who.removeprefix("Patient/")
    if not id_ or tw.search_resources("Patient", {"_id": id_}):
        return id_
    found = tw.find_patients(who)
    if len(found) == 1:
        return found[0].id
    if not found:
        raise Mistake(f"there is no patient {who}")
    several = "; ".join(f"{one.name}, {one.id}" for one in found[:10])
    raise Mistake(f"{len(found)} patients have that name: give the id of one ({several})")
