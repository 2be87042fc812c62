"""Which projects a store serves: private values that all of them share.

The first project is there from the beginning, whether it has a name of its own or not.
"""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import msgspec

from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Conflict, Kept, Store

#: A project by its id, and its id by its name.
PROJECT, NAME = "project", "project-name"
#: What the first project is called while nobody has given it another name.
FIRST_NAME = "Threadwell"
_LONGEST = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_AT_ONCE = 500


class BadProject(ValueError):
    """What is asked of a project cannot be; the message says why."""


class Project(msgspec.Struct, frozen=True):
    """An organisation with all that is its own.

    ``created`` is in milliseconds since 1970 UTC, 0 for the first one.
    """

    id: str
    name: str
    created: int = 0


async def create_project(store: Store, name: str, now: int) -> Project:
    """A new project; raises ``BadProject`` where another has that name."""
    project = Project(str(uuid4()), _checked(name), now)
    kept = (
        Kept(NAME, _key(project.name), project.id.encode(), before=None),
        Kept(PROJECT, project.id, msgspec.json.encode(project), before=None),
    )
    if _key(project.name) == _key((await _first(store)).name):
        raise BadProject(f"there is a project {project.name} already")
    try:
        await store.commit(DEFAULT_PROJECT, ChangeSet((), kept=kept))
    except Conflict:
        raise BadProject(f"there is a project {project.name} already") from None
    return project


async def rename_project(store: Store, project: Project, name: str) -> Project:
    """Give it another name; raises ``BadProject`` where another has that one."""
    value = await store.get_private(PROJECT, project.id)
    renamed = msgspec.structs.replace(project, name=_checked(name))
    there = await store.get_private(NAME, _key(renamed.name))
    is_firsts = _key(renamed.name) == _key((await _first(store)).name)
    others = (there is not None and there.decode() != project.id) or (
        is_firsts and project.id != DEFAULT_PROJECT
    )
    if others:
        raise BadProject(f"there is a project {renamed.name} already")
    kept = [
        Kept(PROJECT, project.id, msgspec.json.encode(renamed), before=value),
        Kept(NAME, _key(renamed.name), project.id.encode(), before=there),
    ]
    if _key(project.name) != _key(renamed.name):
        kept.append(Kept(NAME, _key(project.name), None))
    try:
        await store.commit(DEFAULT_PROJECT, ChangeSet((), kept=tuple(kept)))
    except Conflict:
        raise BadProject("the project was changed by somebody else meanwhile") from None
    return renamed


async def projects(store: Store) -> list[Project]:
    """Every project: the first one, then by name."""
    found: list[Project] = []
    after = ""
    while part := await store.list_private(PROJECT, after=after, count=_AT_ONCE):
        found += [msgspec.json.decode(value, type=Project) for value in part.values()]
        after = max(part)
    further = [one for one in found if one.id != DEFAULT_PROJECT]
    first = next((one for one in found if one.id == DEFAULT_PROJECT), _FIRST)
    return [first, *sorted(further, key=lambda one: (_key(one.name), one.id))]


async def find_project(store: Store, id_: str) -> Project | None:
    """The project of that id."""
    if id_ == DEFAULT_PROJECT:
        return await _first(store)
    if not is_id(id_):
        return None
    value = await store.get_private(PROJECT, id_)
    return None if value is None else msgspec.json.decode(value, type=Project)


async def named_project(store: Store, named: str) -> Project | None:
    """The project of that name, in whatever case, or of that id."""
    if not named.isprintable():
        return None
    if found := await find_project(store, named):
        return found
    id_ = await store.get_private(NAME, _key(named))
    if id_ is not None:
        return await find_project(store, id_.decode())
    first = await _first(store)
    return first if _key(named) == _key(first.name) else None


async def project_name(store: Store, id_: str) -> str:
    """What to call a project."""
    found = await find_project(store, id_)
    return found.name if found is not None else FIRST_NAME


def is_id(text: str) -> bool:
    """Whether a text is written as ids of projects are."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


_FIRST = Project(DEFAULT_PROJECT, FIRST_NAME)


async def _first(store: Store) -> Project:
    value = await store.get_private(PROJECT, DEFAULT_PROJECT)
    return _FIRST if value is None else msgspec.json.decode(value, type=Project)


def _checked(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > _LONGEST or _CONTROL.search(text):
        raise BadProject(f"a project's name has 1 to {_LONGEST} characters")
    if is_id(text):
        raise BadProject("a project's name is none that looks like an id")
    return text


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
