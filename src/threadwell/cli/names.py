"""What patients are called, for lists that have their references alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadwell.facade import Threadwell

#: Patients of whom one search asks.
_AT_ONCE = 100


def patient_names(tw: Threadwell, references: Iterable[str]) -> dict[str, str]:
    """The names of the patients among the references, by these; one without a name is left out."""
    from threadwell.encounters.names import resource_name

    those = {one.removeprefix("Patient/") for one in references if one.startswith("Patient/")}
    ids, names = sorted(those), dict[str, str]()
    for at in range(0, len(ids), _AT_ONCE):
        query = {"_id": ",".join(ids[at : at + _AT_ONCE]), "_count": str(_AT_ONCE)}
        for patient in tw.search_resources("Patient", query):
            if name := resource_name(patient):
                names[f"Patient/{patient['id']}"] = name
    return names
