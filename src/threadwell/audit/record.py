"""What is recorded of one access or change: who, when, what, from where and why.

It names resources by their versions and has nothing of what is in them; a search is the exception,
whose text says who was looked for. So records stay in the store, and never go to a log.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

#: The act of whoever changes who may come in and see what: accounts, clients, policies and more.
ADMINISTERED = "account administered"


class Touched(NamedTuple):
    """A version of a resource that was seen or written. ``how`` is ``R``, ``C``, ``U`` or ``D``."""

    type: str
    id: str
    version: str
    how: str = "R"


class Who(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, cache_hash=True):
    """Who acts: ``who`` is a reference, ``client`` the id of a client, ``name`` what it is called.

    ``way`` is how they come in: ``api``, ``pages``, ``chat``, ``socket``, ``file``, ``hook``,
    ``python``, ``command …``, ``duty``. ``address`` is where they are, as far as that is known, and
    ``through`` the proxy that said so. ``purpose`` is a code of
    v3-PurposeOfUse, ``reason`` what was said by somebody who went beyond their policy.
    ``acting`` is a reference to whoever asks for ``who``, who need not know of it.
    """

    who: str = ""
    client: str = ""
    name: str = ""
    login: str = ""
    way: str = ""
    address: str = ""
    through: str = ""
    purpose: str = ""
    reason: str = ""
    acting: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One access, change or other event.

    ``at`` is in milliseconds since 1970 UTC. ``act`` is FHIR's word for an interaction (``read``),
    or ours for something else (``sign-in``). ``status`` is that of the answer, as HTTP has it.
    ``asked`` is the path of the request below the FHIR base, ``query`` what was searched for,
    ``request`` the id of the request. ``more`` tells that further records of the request follow.
    ``hidden``: what was asked for is there, and was said not to be, as a policy hides it.
    """

    at: int
    act: str
    by: Who
    status: int = 200
    asked: str = ""
    query: str = ""
    request: str = ""
    touched: tuple[Touched, ...] = ()
    more: bool = False
    hidden: bool = False


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record in its place in the chain: the ``n``-th of its project.

    ``patients`` has, for each patient (by id) whom the record is about, the places in
    ``record.touched`` that are.
    """

    n: int
    record: Record
    patients: dict[str, list[int]] = msgspec.field(default_factory=dict)


def of_account(asked: str, id_: str) -> str:
    """What was asked for (a path), with the account that it changes; no address of a person."""
    return f"{asked} User/{id_}"


def operation_of(asked: str) -> str:
    """The operation that is named by the path of a request (``$everything``), ``""`` if none is."""
    name = asked.rpartition("/")[2]
    return name if name.startswith("$") else ""


encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(Record).decode
encode_line = msgspec.json.Encoder().encode
decode_line = msgspec.json.Decoder(Line).decode
