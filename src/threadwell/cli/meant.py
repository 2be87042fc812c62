"""Who is meant by what somebody types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from threadwell.cli.errors import Mistake

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.intake import BadAnswer

_PERSON = re.compile(r"\b(Patient|RelatedPerson)/([A-Za-z0-9.-]{1,64})")


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


def person_meant(tw: Threadwell, task: str, who: str) -> str:
    """Whom an answer to the question ``task`` means: a reference, or an id as it was typed.

    A name is that of somebody whom the question names, or else of a patient. Raises ``Mistake``
    where there is none, or are several.
    """
    if "/" in who:
        return who
    asked = f"Task/{task.removeprefix('Task/')}"
    named = [each for one in tw.reviews() if one.task == asked for each in one.candidates]
    if any(who == one.patient.partition("/")[2] for one in named):
        return who
    words = who.casefold().split()
    found = [one for one in named if _has(one.name, words)]
    if len(found) == 1:
        return found[0].patient
    choice = "; ".join(f"{one.patient} is {one.name}" for one in found or named)
    if found:
        raise Mistake(f"{len(found)} of those have that name: give the reference of one ({choice})")
    if any(tw.search_resources(type_, {"_id": who}) for type_ in ("Patient", "RelatedPerson")):
        return who
    if not named:
        return f"Patient/{patient_meant(tw, who)}"
    raise Mistake(f"the question does not name {who}: give a name, or the reference ({choice})")


def _has(name: str, words: list[str]) -> bool:
    """Whether every word begins one of the name's."""
    parts = name.casefold().split()
    return bool(words) and all(any(part.startswith(word) for part in parts) for word in words)


def answer_refused(tw: Threadwell, error: BadAnswer) -> Mistake:
    """Why an answer was not taken, with the names of those whom it speaks of, and where to look."""
    said = str(error)
    if said.startswith("there is no Task/"):
        return Mistake(f"{said}: `threadwell reviews` shows the questions, each with its whole id")
    from threadwell.encounters.names import human_name

    names = []
    for type_, id_ in dict.fromkeys(_PERSON.findall(said)):
        for one in tw.search_resources(type_, {"_id": id_}):
            names += [
                f"{type_}/{id_} is {human_name(name)}" for name in (one.get("name") or ())[:1]
            ]
    return Mistake(f"{said} ({'; '.join(names)})" if names else said)
