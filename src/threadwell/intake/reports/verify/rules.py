"""The rules of the pattern, over the facts of a store. Pure.

A rule looks at one header, at one Encounter, or at some messages: all headers and Encounters are
walked through once, for all rules together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping

from threadwell.encounters import codes
from threadwell.intake.reports.verify.facts import Care, Facts, Thread
from threadwell.intake.reports.verify.finding import Finding
from threadwell.intake.reports.verify.kept import ByName

OfThread = Callable[[Facts, str, Thread], Iterator[Finding]]
OfCare = Callable[[Facts, str, Care], Iterator[Finding]]
OfMessages = Callable[[Facts], Iterator[Finding]]

_SESSION = codes.SESSION_TAG["code"]
_MEDICAL = codes.MEDICAL_TAG["code"]
_VIRTUAL = codes.VIRTUAL["code"]
_TAKES_PART = ("Practitioner/", "PractitionerRole/", "RelatedPerson/")


def headers_and_encounters(facts: Facts) -> Iterator[Finding]:
    """What the rules of headers and Encounters find, and those of what belongs together."""
    with ByName[bool]() as linked, ByName[int]() as parts, ByName[bool]() as groups:
        with ByName[str]() as seen:
            for name, thread in facts.threads.walk():
                linked[thread.encounter] = True
                for of_thread in OF_THREADS:
                    yield from of_thread(facts, name, thread)
                yield from _one_of_each(seen, name, thread.identity)
        with ByName[str]() as seen:
            for name, care in facts.cares.walk():
                for of_care in OF_CARES:
                    yield from of_care(facts, name, care)
                yield from _one_of_each(seen, name, care.identity)
                if care.is_session and name not in linked and not care.waits:
                    yield Finding("warning", name, "session", "no thread header links to it")
                if _MEDICAL in care.tags:
                    parts[care.part_of] = parts.get(care.part_of, 0) + 1
                if care.is_session and care.subject.startswith("Group/"):
                    groups[name] = True
        for name in groups:
            if parts.get(name, 0) < 2:
                text = "it is about a Group and has fewer than two medical encounters"
                yield _error(name, "several-patients", text)


def header_has_no_payload(_facts: Facts, name: str, thread: Thread) -> Iterator[Finding]:
    """A thread header holds no message of its own."""
    if thread.payload:
        yield _error(name, "header-payload", "a thread header has a payload")


def two_levels(facts: Facts) -> Iterator[Finding]:
    """A message is part of a thread header that is there and live, never of another message."""
    for name, child in facts.children.items():
        if child.header in facts.messages:
            yield _error(name, "two-levels", f"it is part of {child.header}, itself a message")
        elif child.header in facts.withdrawn:
            yield _error(name, "two-levels", f"it is part of {child.header}, which is withdrawn")
        elif child.header not in facts.threads:
            yield _error(name, "two-levels", f"it is part of {child.header}, which is not there")


def child_has_payload(facts: Facts) -> Iterator[Finding]:
    """A message says something, unless it was retracted."""
    for name, child in facts.children.items():
        if not (child.payload or child.retracted):
            yield _error(name, "child-payload", "a message has no payload")


def encounter_on_header_only(facts: Facts) -> Iterator[Finding]:
    """Messages have their session through their header."""
    for name, child in facts.children.items():
        if child.encounter:
            yield _error(name, "encounter-on-header", "a message has an encounter of its own")


def thread_links_resolve(facts: Facts, name: str, thread: Thread) -> Iterator[Finding]:
    """A header's encounter is a live session encounter, and the header before it is there.

    Of a session that was billed the header before may be superseded: nothing of it may change.
    """
    if thread.encounter:
        care = facts.cares.get(thread.encounter)
        if care is None:
            text = f"its encounter {thread.encounter} is not there or withdrawn"
            yield _error(name, "links", text)
        elif _MEDICAL in care.tags:
            text = f"its encounter {thread.encounter} is a medical encounter, not the session's"
            yield _error(name, "links", text)
    if thread.former and thread.former not in facts.threads:
        stays = thread.encounter in facts.billed and thread.former in facts.withdrawn
        if not stays:
            yield _error(name, "links", f"the header before, {thread.former}, is not there")


def recipients_include_opener(_facts: Facts, name: str, thread: Thread) -> Iterator[Finding]:
    """An inbox looks for threads by recipient: whoever opened one is among them."""
    if thread.sender and thread.sender not in thread.recipients | thread.left:
        yield _error(name, "recipients", f"{thread.sender} opened it and is no recipient")


def recipients_include_sender(facts: Facts) -> Iterator[Finding]:
    """So is whoever writes in it."""
    for name, child in facts.children.items():
        header = facts.threads.get(child.header)
        if child.retracted or header is None or not child.sender:
            continue
        if child.sender not in header.recipients | header.left:
            text = f"{child.sender} sent it and is no recipient of {child.header}"
            yield _error(name, "recipients", text)


def participants_cover_senders(facts: Facts) -> Iterator[Finding]:
    """Professionals and family who write in a session are its participants."""
    told: set[tuple[str, str]] = set()
    for child in facts.children.values():
        header = facts.threads.get(child.header)
        care = facts.cares.get(header.encounter) if header else None
        if header is None or care is None or child.retracted:
            continue
        if not child.sender.startswith(_TAKES_PART):
            continue
        missing = (header.encounter, child.sender)
        if child.sender not in care.participants and missing not in told:
            told.add(missing)
            text = f"{child.sender} wrote in it and is no participant"
            yield _error(header.encounter, "participants", text)


def opening_family_is_the_patients(facts: Facts, _name: str, thread: Thread) -> Iterator[Finding]:
    """A RelatedPerson belongs to one patient, and opens no thread of somebody else's care (§3)."""
    yield from _strange_family(facts, [(thread.encounter, thread.sender)])


def family_is_the_patients(facts: Facts, name: str, care: Care) -> Iterator[Finding]:
    """Nor does one take part in it.

    In a session about several patients each medical encounter has its own.
    """
    yield from _strange_family(facts, ((name, who) for who in sorted(care.participants)))


def speaking_family_is_the_patients(facts: Facts) -> Iterator[Finding]:
    """The same of whoever has written."""
    speaking = [
        (header.encounter, child.sender)
        for child in facts.children.values()
        if not child.retracted and (header := facts.threads.get(child.header))
    ]
    yield from _strange_family(facts, speaking)


def _strange_family(facts: Facts, takes_part: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    for name, who in dict.fromkeys(takes_part):
        patient = facts.related.get(who)
        care = facts.cares.get(name) if patient is not None else None
        if care is None or not care.subject.startswith("Patient/"):
            continue
        if patient != care.subject:
            text = f"{who} takes part, a related person of {patient} and not of {care.subject}"
            yield _error(name, "related-person", text)


def no_care_is_of_somebody_replaced(facts: Facts, name: str, care: Care) -> Iterator[Finding]:
    """What is live is about the record that stays of two, but for what was billed before.

    What others have made is theirs to change: that is a warning.
    """
    if care.subject in facts.replaced and not care.cancelled:
        billed = facts.billed
        if name not in billed and care.part_of not in billed:
            yield from _replaced(facts, [(name, care.subject, care.identity)])


def no_thread_is_of_somebody_replaced(facts: Facts, name: str, thread: Thread) -> Iterator[Finding]:
    """The same of headers."""
    if thread.subject in facts.replaced and thread.encounter not in facts.billed:
        yield from _replaced(facts, [(name, thread.subject, thread.identity)])


def no_message_is_of_somebody_replaced(facts: Facts) -> Iterator[Finding]:
    """The same of messages."""
    about = []
    for name, child in facts.children.items():
        header = facts.threads.get(child.header)
        if not (child.retracted or (header and header.encounter in facts.billed)):
            about.append((name, child.subject, header.identity if header else ""))
    yield from _replaced(facts, about)


def _replaced(facts: Facts, about: Iterable[tuple[str, str, str]]) -> Iterator[Finding]:
    for name, subject, identity in about:
        if subject in facts.replaced:
            severity = "error" if identity else "warning"
            text = f"it is about {subject}, who was merged into another record"
            yield Finding(severity, name, "replaced-patient", text)


def session_is_virtual(_facts: Facts, name: str, care: Care) -> Iterator[Finding]:
    """Session and medical encounters have class VR."""
    if care.tags & {_SESSION, _MEDICAL} and care.class_ != _VIRTUAL:
        yield _error(name, "class", "its class is not VR of v3-ActCode")


def session_stands_alone(_facts: Facts, name: str, care: Care) -> Iterator[Finding]:
    """A session encounter is part of nothing."""
    if _SESSION in care.tags and care.part_of:
        yield _error(name, "session", "a session encounter is part of another Encounter")


def medical_encounter_hangs_on_a_session(facts: Facts, name: str, care: Care) -> Iterator[Finding]:
    """A medical encounter has a patient and is part of a live session encounter."""
    if _MEDICAL not in care.tags:
        return
    if not care.subject.startswith("Patient/"):
        yield _error(name, "medical-encounter", "its subject is no Patient")
    session = facts.cares.get(care.part_of)
    if session is None:
        text = f"it is part of {care.part_of or 'nothing'}, which is no live Encounter"
        yield _error(name, "medical-encounter", text)
    elif not session.is_session:
        text = f"{care.part_of}, which it is part of, is no session encounter"
        yield Finding("warning", name, "medical-encounter", text)


def _one_of_each(seen: MutableMapping[str, str], name: str, identity: str) -> Iterator[Finding]:
    """No two live headers, nor two live Encounters, have one identity."""
    if identity and (first := seen.setdefault(identity, name)) != name:
        yield _error(name, "identity", f"it has the same identity as {first}")


OF_THREADS: tuple[OfThread, ...] = (
    header_has_no_payload,
    thread_links_resolve,
    recipients_include_opener,
    opening_family_is_the_patients,
    no_thread_is_of_somebody_replaced,
)
OF_CARES: tuple[OfCare, ...] = (
    family_is_the_patients,
    no_care_is_of_somebody_replaced,
    session_is_virtual,
    session_stands_alone,
    medical_encounter_hangs_on_a_session,
)
#: The rules of messages: these may be given some at a time.
OF_MESSAGES: tuple[OfMessages, ...] = (
    two_levels,
    child_has_payload,
    encounter_on_header_only,
    recipients_include_sender,
    participants_cover_senders,
    speaking_family_is_the_patients,
    no_message_is_of_somebody_replaced,
)


def _error(name: str, rule: str, text: str) -> Finding:
    return Finding("error", name, rule, text)
