"""A package is added, in one commit, or removed; what writes are held against is set."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from threadwell.fhir.packages.package import BadPackage, Package
from threadwell.fhir.packages.reading import Packed, opened, read_package
from threadwell.fhir.profiles.library import MALFORMED, BadProfile
from threadwell.fhir.profiles.tree import tree
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store
from threadwell.stores.guides import (
    BODY,
    CHOICES,
    KIND,
    PACKAGE,
    State,
    body_name,
    read_packages,
    read_state,
)

#: Packages that one store keeps.
MAX_PACKAGES = 50
#: Bytes and private values that one commit takes.
_MOST_BYTES, _MOST_VALUES = 8 * 1024 * 1024, 1000


class Added(NamedTuple):
    """A package that is there now. ``was_there`` tells that nothing has changed by it.

    ``missing`` are those that it depends on and that are not here; ``unread`` are its profiles
    that cannot be made sense of, with the reason.
    """

    package: Package
    was_there: bool
    missing: list[str]
    unread: list[str]


async def add_guide(store: Store, project: str, packed: bytes) -> Added:
    """Keep the package of a ``.tgz``; raises ``BadPackage``.

    Nobody sees it before all of it is there. One of the same name and version is replaced.
    """
    read = read_package(packed)
    package = read.package
    value = msgspec.json.encode(package)
    unread = list(_unread(read))
    before, _ = await read_state(store, project)
    if package.label not in before.packages and len(before.packages) >= MAX_PACKAGES:
        raise BadPackage(f"a store keeps at most {MAX_PACKAGES} packages: remove one")
    name = f"{project}/{package.label}"
    was = await store.get_private(PACKAGE, name)
    same = was == value and package.label in before.packages
    await _put_bodies(store, project, read)
    await store.put_private(PACKAGE, name, value)
    if was is not None:
        await _drop_bodies(store, project, package.label, len(package.heads))
    here = [*before.packages, package.label]

    def added(state: State) -> State:
        packages = tuple(sorted({*state.packages, package.label}))
        return msgspec.structs.replace(state, packages=packages)

    await _change(store, project, added)
    return Added(package, same, _missing(package, here), unread)


async def remove_guide(store: Store, project: str, named: str) -> Package:
    """Keep a package no longer: ``name`` or ``name#version``; returns it.

    Raises ``LookupError`` where there is none, or where a name alone could be several.
    """
    state, _ = await read_state(store, project)
    found = [label for label in state.packages if named in (label, label.partition("#")[0])]
    if len(found) != 1:
        there = ", ".join(state.packages) or "none"
        many = f"there are several: {', '.join(found)}" if found else f"there are: {there}"
        raise LookupError(f"no one package is {named}; {many}")
    (package,) = await read_packages(store, project, State(packages=found))

    def removed(state: State) -> State:
        packages = tuple(label for label in state.packages if label != package.label)
        return msgspec.structs.replace(state, packages=packages)

    await _change(store, project, removed)
    await store.put_private(PACKAGE, f"{project}/{package.label}", None)
    await _drop_bodies(store, project, package.label, 0)
    return package


async def guides(store: Store, project: str) -> tuple[State, list[Package]]:
    """How writes are checked, and the packages that there are."""
    state, _ = await read_state(store, project)
    return state, await read_packages(store, project, state)


async def set_checks(store: Store, project: str, **wanted: str) -> State:
    """Set ``profiles`` (``off``, ``check``) or ``references`` (``off``, ``type``, ``exists``).

    Raises ``ValueError`` for what is none of these.
    """
    for name, value in wanted.items():
        choices = CHOICES.get(name)
        if choices is None:
            raise ValueError(f"there is no setting {name}: there are {', '.join(CHOICES)}")
        if value not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}, and not {value}")
    given: dict[str, Any] = wanted
    return await _change(store, project, lambda state: msgspec.structs.replace(state, **given))


async def _change(store: Store, project: str, change: Any) -> State:
    """Change the state, whoever else does so at the same time."""
    while True:
        state, value = await read_state(store, project)
        changed: State = change(state)
        changed = msgspec.structs.replace(changed, revision=state.revision + 1)
        kept = Kept(KIND, project, msgspec.json.encode(changed), value)
        try:
            await store.commit(project, ChangeSet((), kept=(kept,)))
        except Conflict:
            continue
        return changed


async def _put_bodies(store: Store, project: str, read: Packed) -> None:
    """Each definition, in commits of a bounded size: nobody looks for them yet."""
    kept: list[Kept] = []
    size = 0
    for at, body in enumerate(read.bodies):
        if kept and (size + len(body) > _MOST_BYTES or len(kept) >= _MOST_VALUES):
            await store.commit(project, ChangeSet((), kept=tuple(kept)))
            kept, size = [], 0
        kept.append(Kept(BODY, body_name(project, read.package.label, at), body))
        size += len(body)
    await store.commit(project, ChangeSet((), kept=tuple(kept)))


async def _drop_bodies(store: Store, project: str, label: str, first: int) -> None:
    """Remove the definitions of a package from that number on."""
    prefix = f"{project}/{label}/"
    after = body_name(project, label, first - 1) if first else prefix
    while True:
        found = await store.list_private(BODY, after=after, count=_MOST_VALUES)
        names = [name for name in found if name.startswith(prefix)]
        if not names:
            return
        kept = tuple(Kept(BODY, name, None) for name in names)
        await store.commit(project, ChangeSet((), kept=kept))
        after = names[-1]


def _missing(package: Package, here: list[str]) -> list[str]:
    """What it depends on and is not here, of whichever version; R4 itself is built in."""
    names = {label.partition("#")[0] for label in here} | {"hl7.fhir.r4.core"}
    return [one for one in package.needs if one.partition("#")[0] not in names]


def _unread(read: Packed) -> list[str]:
    found = []
    for head, body in zip(read.package.heads, read.bodies, strict=True):
        if head.type == "StructureDefinition" and head.profile:
            try:
                tree(opened(body))
            except BadProfile as error:
                found.append(f"{head.url}: {error}")
            except MALFORMED:
                found.append(f"{head.url} is not made as R4 has it")
    return found
