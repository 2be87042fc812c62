"""Instances to compare verdicts on: examples of packages, and what becomes of them by one change.

Published examples are nearly all valid; a checker that says yes to everything would agree on them.
So each is changed as well: an element goes, comes twice, has another code, system or type. Which
change it is depends on the seed, the example and nothing else.
"""

from __future__ import annotations

import copy
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
#: Changes to one example that are tried; those that change nothing do not count.
_TRIES = 20


class Instance(NamedTuple):
    """A resource, and where it comes from: the file, and what was changed."""

    resource: Json
    name: str
    change: str = ""


def examples(package: Path) -> Iterator[Instance]:
    """The resources of a package's ``example`` folder, or all where it has none, by file name."""
    with tarfile.open(package) as archive:
        members = {member.name: member for member in archive if member.name.endswith(".json")}
        chosen = [name for name in members if name.startswith("package/example/")]
        for name in sorted(chosen or members):
            content = archive.extractfile(members[name])
            resource = json.load(content) if content else {}
            if "resourceType" in resource:
                yield Instance(resource, name.rpartition("/")[2])


def changed(instance: Instance, count: int, seed: int) -> Iterator[Instance]:
    """At most ``count`` resources that differ from the instance by one change each."""
    chance = random.Random(f"{seed} {instance.name}")
    met = {json.dumps(instance.resource, sort_keys=True)}
    for _ in range(_TRIES * count):
        if count == 0:
            return
        resource = copy.deepcopy(instance.resource)
        places = [place for place in _places(resource, "") if place.path not in _LEFT]
        if not places:
            return
        place = chance.choice(places)
        how = chance.choice(_CHANGES)
        how(place, chance)
        body = json.dumps(resource, sort_keys=True)
        if body not in met:
            met.add(body)
            count -= 1
            yield Instance(resource, instance.name, f"{how.__name__.strip('_')} {place.path}")


class _Place(NamedTuple):
    holder: Any
    key: Any
    path: str

    @property
    def value(self) -> Any:
        return self.holder[self.key]


#: What every verdict is about, and what no profile speaks of.
_LEFT = {".resourceType", ".id", ".meta", ".text", ".text.div", ".text.status", ".meta.profile"}


def _places(value: Any, path: str) -> Iterator[_Place]:
    """Each member and item, however deep; of narratives and profiles that are claimed none."""
    listed = isinstance(value, list)
    for key in range(len(value)) if listed else list(value):
        inner = f"{path}[{key}]" if listed else f"{path}.{key}"
        yield _Place(value, key, inner)
        if inner not in (".text", ".meta.profile") and isinstance(value[key], dict | list):
            yield from _places(value[key], inner)


def _gone(place: _Place, _: random.Random) -> None:
    del place.holder[place.key]


def _doubled(place: _Place, _: random.Random) -> None:
    if isinstance(place.value, list):
        place.value.append(copy.deepcopy(place.value[0]))


def _other_text(place: _Place, chance: random.Random) -> None:
    if isinstance(place.value, str):
        place.holder[place.key] = chance.choice(("other", "http://example.org/other", "final"))


def _other_target(place: _Place, chance: random.Random) -> None:
    if isinstance(place.value, dict) and "reference" in place.value:
        type_ = chance.choice(("Device", "Patient", "Medication", "Practitioner", "Organization"))
        place.value["reference"] = f"{type_}/other"


def _other_type(place: _Place, _: random.Random) -> None:
    name = str(place.key)
    if isinstance(place.holder, dict) and name.startswith("value") and name != "value":
        del place.holder[place.key]
        place.holder["valueString" if name != "valueString" else "valueBoolean"] = (
            "other" if name != "valueString" else True
        )


def _other_code(place: _Place, _: random.Random) -> None:
    if isinstance(place.value, dict) and "coding" in place.value:
        place.value["coding"] = [{"system": "http://example.org/codes", "code": "other"}]
    elif isinstance(place.value, dict) and "code" in place.value and "system" in place.value:
        place.value["code"] = "other"


_CHANGES: tuple[Callable[[_Place, random.Random], None], ...] = (
    _gone, _gone, _doubled, _other_text, _other_target, _other_type, _other_code
)  # fmt: skip
