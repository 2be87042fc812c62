"""Who is meant by what somebody types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from threadwell.cli.errors import Mistake

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.intake import BadAnswer

#: Who may come in, and has a name.
_ACTORS = ("Practitioner", "Patient", "RelatedPerson")
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


def actor_meant(tw: Threadwell, who: str) -> str:
    """The reference of whoever acts by that name: of a client (or its id), of a person, or of whom
    an account is by its e-mail address. A reference is as it was typed, ``""`` nobody.

    Raises ``Mistake`` where there is none, or are several: for a slip nothing would be found.
    """
    if not who or "/" in who:
        return who
    clients = tw.clients()
    if any(one.id == who for one in clients):
        return f"ClientApplication/{who}"
    wanted = " ".join(who.casefold().split())
    users = tw.users()
    mine = [one for one in users if one.email.casefold() == wanted] or [
        one for one in users if one.name.casefold() == wanted
    ]
    found = [f"ClientApplication/{one.id}" for one in clients if one.name.casefold() == wanted]
    found += [at.profile for one in mine for at in one.members if at.project == tw.project]
    if "@" not in who:
        found += _called(tw, wanted)
    found = list(dict.fromkeys(found))
    if len(found) > 1:
        raise Mistake(
            f"{who} is the name of {len(found)}: give the reference of one ({', '.join(found)})"
        )
    if not found:
        raise Mistake(
            f"there is no client {who}, no account of that e-mail address and no person of that "
            "name: `threadwell client list` and `threadwell user list` have those there are"
        )
    return found[0]


def _called(tw: Threadwell, wanted: str) -> Iterator[str]:
    """The references of the people who have that name, in small letters."""
    from threadwell.encounters.names import human_name

    # A name may be one text, of which a search looks at the beginning.
    begins = re.sub(r"([\\,$|])", r"\\\1", wanted.partition(" ")[0])
    for type_ in _ACTORS:
        for one in tw.search_all(type_, {"name": begins}):
            if any(human_name(name).casefold() == wanted for name in one.get("name") or ()):
                yield f"{type_}/{one['id']}"


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
