"""Brings the index in line with the search parameters that a project has by now, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from threadwell.fhir.json import decode
from threadwell.fhir.search.catalogue import Home, State
from threadwell.stores.parameters import Parameters, read_parameters
from threadwell.stores.sql.entries import Entries, entries, without
from threadwell.stores.sql.keys import Keys

#: Numbers of resources that are looked at in one transaction: writers wait that long.
SLICE = 250


class Stale(Exception):
    """A change set was prepared by search parameters that are no longer those of the project."""


def kept_name(project: str) -> str:
    """The setting that has the parameters of a project."""
    return f"parameters {_named(project)}"


def turn_name(project: str) -> str:
    """The setting that has the turn of them, in decimal digits."""
    return f"turn {_named(project)}"


#: How the names of the settings of ``kept_name`` begin.
KEPT = "parameters "


def project_of(name: str) -> str:
    """Of which project the setting of ``kept_name`` is."""
    return bytes.fromhex(name.removeprefix(KEPT)).decode("utf-8", "surrogatepass")


def know_all(keys: Keys, kept: Mapping[str, bytes]) -> None:
    """Have ``keys`` know of the parameters of every project, by their settings."""
    for name, value in kept.items():
        found = read_parameters(value)
        keys.bases.has(project_of(name), found.catalogue, found.turn)


def settled(keys: Keys, parameters: Parameters) -> Home:
    """What the index is sure to hold of a resource that was not brought in line yet."""
    sure = []
    for one in parameters.listed:
        if one.state not in (State.INDEXING, State.LEAVING):
            sure.append(one)
        elif not one.of.id:
            sure.append(msgspec.structs.replace(one, state=State.OFF))
    catalogue = Parameters(listed=tuple(sure)).catalogue
    return Home(keys.bases.own, catalogue)


def lagging(
    keys: Keys, project: str, parameters: Parameters, body: bytes, updated: int
) -> tuple[Entries, Entries]:
    """What is to be removed from the index of a resource, and what is to be added: it may be so
    already. The second has the ``present`` of the resource.
    """
    resource = decode(body)
    wanted = parameters.catalogue
    own = keys.bases.own
    now = entries(keys, project, resource, updated, Home(own, wanted))
    sure = entries(keys, project, resource, updated, settled(keys, parameters))
    removed = Entries()
    if wanted.before is not wanted:
        was = entries(keys, project, resource, updated, Home(own, wanted.before))
        removed = without(was, now)
    return removed, without(now, sure)


def _named(project: str) -> str:
    return project.encode("utf-8", "surrogatepass").hex()
