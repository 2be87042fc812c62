"""Which slice a value is of: the discriminators of a slicing (FHIR R4 §5.1.0.10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.profiles.bindings import Codes, held
from threadwell.fhir.profiles.places import Place, within
from threadwell.fhir.profiles.said import Matcher, Run, Test
from threadwell.fhir.profiles.same import told
from threadwell.fhir.profiles.tree import Node

_STEP = re.compile(r"(?:[^.()]|\([^()]*\))+")
_EXTENSION = re.compile(r"extension\(['\"]([^'\"]*)['\"]\)")
_TYPED = re.compile(r"(?:ofType|as)\(([A-Za-z]+)\)")
_RESOLVE = "resolve()"

Wanted = Callable[[Place, Run], bool]


class Known(Protocol):
    """What a slice may be told by that does not stand in its own profile."""

    def root_of(self, url: str) -> Node | None:
        """The root of another profile."""
        ...

    def test_of(self, url: str) -> Test | None:
        """The check of another profile."""
        ...

    def type_of(self, url: str) -> str:
        """The type that a profile is about."""
        ...

    def codes_of(self, url: str) -> Codes | None:
        """What is known of a value set."""
        ...


def matcher(node: Node, discriminators: list[dict[str, Any]], known: Known) -> Matcher | None:
    """Whether a value is of a slice; ``None`` where its discriminators tell nothing."""
    tests = [_test(node, one, known) for one in discriminators]
    found = [test for test in tests if test is not None]
    if not tests or len(found) < len(tests):
        return None
    return lambda place, run: all(test(place, run) for test in found)


def _test(node: Node, discriminator: dict[str, Any], known: Known) -> Wanted | None:
    kind, path = discriminator.get("type"), str(discriminator.get("path", "$this"))
    steps = [step for step in _STEP.findall(path) if step != "$this"]
    nodes = _defined(node, steps, known)
    match kind:
        case "value" | "pattern":
            wanted = _any_of([_wanted(one, known) for one in nodes])
        case "exists":
            return _there(nodes, steps)
        case "type":
            wanted = _of_type(nodes, steps, known)
        case "profile":
            wanted = _conforming(nodes, steps, known)
        case _:
            return None
    if wanted is None:
        return None
    return lambda place, run: any(wanted(one, run) for one in found_at(place, steps, run))


def found_at(place: Place, steps: list[str], run: Run) -> Iterator[Place]:
    """The values that the path of a discriminator leads to."""
    run.look()
    if not steps:
        yield place
        return
    step, rest = steps[0], steps[1:]
    for one in _stepped(place, step, run):
        yield from found_at(one, rest, run)


def target(place: Place, run: Run) -> Place | None:
    """What a reference leads to: a contained resource, or as much as its text tells: the type."""
    value = place.value
    text = value.get("reference", "") if isinstance(value, dict) else ""
    path = f"{place.path}.resolve()"
    if text.startswith("#"):
        for one in run.whole.get("contained", ()):
            if isinstance(one, dict) and one.get("id") == text[1:]:
                return Place(one, str(one.get("resourceType")), path)
        return None
    named = text.partition("/_history/")[0].split("/")[-2:-1]
    type_ = named[0] if named and named[0] in RESOURCE_TYPES else value.get("type", "")
    return Place({"resourceType": type_}, type_, path) if type_ in RESOURCE_TYPES else None


def _stepped(place: Place, step: str, run: Run) -> Iterator[Place]:
    if step == _RESOLVE:
        found = target(place, run)
        if found is not None:
            yield found
    elif match := _EXTENSION.fullmatch(step):
        for one in within(place, "extension"):
            if one.value.get("url") == match[1]:
                yield one
    elif match := _TYPED.fullmatch(step):
        if place.type == match[1]:
            yield place
    else:
        yield from within(place, step)


def _defined(node: Node, steps: list[str], known: Known) -> list[Node]:
    """What the slice says of that path; where it says nothing itself, what its profiles do."""
    if not steps:
        return [node]
    step, rest = steps[0], steps[1:]
    if step == _RESOLVE or _TYPED.fullmatch(step):
        return [node] if not rest else []
    below: list[Node] = []
    if match := _EXTENSION.fullmatch(step):
        listed = node.children.get("extension")
        for one in listed.slices.values() if listed else ():
            profiles = [url for type_ in one.types for url in type_.get("profile", ())]
            if any(url.partition("|")[0] == match[1] for url in profiles):
                below += _defined(one, rest, known)
        return below
    names = (step, f"{step}[x]")
    for child in (node.children.get(name) for name in names):
        if child is not None:
            # A slice of what is on the way may say more: "coding" of which one slice is wanted.
            of = [child, *child.slices.values()]
            below += [found for one in of for found in _defined(one, rest, known)]
    if any(told(one) or one.children for one in below):
        return below
    for type_ in node.types:
        for url in type_.get("profile", ()):
            root = known.root_of(url)
            if root is not None and root is not node:
                below += _defined(root, steps, known)
    return below


def _wanted(node: Node, known: Known) -> Wanted | None:
    """What a value must be to be the one that the node speaks of."""
    tests: list[Wanted] = []
    if (is_told := told(node)) is not None:
        tests.append(lambda place, _: is_told(place.value))
    elif node.says.get("binding", {}).get("strength") == "required":
        url = str(node.says["binding"].get("valueSet", ""))

        def bound(place: Place, _: Run) -> bool:
            codes = known.codes_of(url)
            return codes is not None and held(codes, place.value, place.type) is True

        tests.append(bound)
    if is_told is None:
        for name, child in node.children.items():
            inner = _wanted(child, known)
            if inner is not None and (told(child) or child.least > 0):
                tests.append(_some(name, inner))
    return (lambda place, run: all(test(place, run) for test in tests)) if tests else None


def _some(name: str, wanted: Wanted) -> Wanted:
    return lambda place, run: any(wanted(one, run) for one in within(place, name))


def _any_of(tests: list[Wanted | None]) -> Wanted | None:
    found = [test for test in tests if test is not None]
    return (lambda place, run: any(test(place, run) for test in found)) if found else None


def _there(nodes: list[Node], steps: list[str]) -> Wanted | None:
    for node in nodes:
        if node.most == 0:
            return lambda place, run: next(found_at(place, steps, run), None) is None
        if node.least > 0:
            return lambda place, run: next(found_at(place, steps, run), None) is not None
    return None


def _of_type(nodes: list[Node], steps: list[str], known: Known) -> Wanted | None:
    types: set[str] = set()
    for node in nodes:
        for type_ in node.types:
            if steps and steps[-1] == _RESOLVE:
                types |= {known.type_of(url) for url in type_.get("targetProfile", ())}
            else:
                types.add(str(type_.get("code", "")).rpartition("/")[2])
    types.discard("")
    if not types:
        return None
    return lambda place, _: place.type in types or bool(types & {"Resource", "Element"})


def _conforming(nodes: list[Node], steps: list[str], known: Known) -> Wanted | None:
    name = "targetProfile" if steps and steps[-1] == _RESOLVE else "profile"
    urls = [url for node in nodes for type_ in node.types for url in type_.get(name, ())]
    if not urls:
        return None

    def conforms(place: Place, run: Run) -> bool:
        for url in urls:
            test = known.test_of(url)
            if test is None:
                if known.type_of(url) == place.type:
                    return True
                continue
            trial = run.quiet()
            test(place, trial)
            if not trial.failed:
                return True
        return False

    return conforms
