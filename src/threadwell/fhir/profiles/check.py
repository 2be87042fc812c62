"""A resource held against profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from threadwell.fhir.fhirpath.top import Top
from threadwell.fhir.outcome import Issue
from threadwell.fhir.profiles.compiling import Compiler
from threadwell.fhir.profiles.places import Place
from threadwell.fhir.profiles.said import Run, TooMuch
from threadwell.fhir.resource import Resource


def check(resource: Resource, urls: Iterable[str], compiler: Compiler) -> list[Issue]:
    """What is wrong with a valid R4 resource by those profiles, and by its known extensions' own.

    What breaks a profile is an ``error``; what a profile only warns of, a ``warning``; a profile
    that is not known is named as ``information``. Raises ``BadProfile``.
    """
    type_ = str(resource.get("resourceType"))
    run = Run(Top(resource), resource)
    place = Place(resource, type_, type_)
    try:
        for url in urls:
            test = compiler.test_of(url)
            if test is None:
                text = f"The profile {url[:200]} is not known here, so it is not checked"
                run.say("not-found", text, f"{type_}.meta.profile", "information")
            else:
                test(place, run)
        for url, found in _extensions(resource, type_):
            test = compiler.test_of(url)
            if test is not None:
                test(found, run)
    except TooMuch:
        run.say("too-costly", "The resource is too large to be held against its profiles", type_)
    return list(dict.fromkeys(run.issues))


def claimed(resource: Any) -> list[str]:
    """The profiles that a resource says it is as."""
    meta = resource.get("meta") if isinstance(resource, dict) else None
    listed = meta.get("profile") if isinstance(meta, dict) else None
    return [url for url in listed if isinstance(url, str)] if isinstance(listed, list) else []


def extension_urls(resource: Resource) -> list[str]:
    """The urls of all its extensions that have an absolute one."""
    return list(dict.fromkeys(url for url, _ in _extensions(resource, "")))


def systems(resource: Resource) -> list[str]:
    """The code systems that its codings name."""
    found: dict[str, None] = {}
    waiting: list[Any] = [resource]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, list):
            waiting += inner
        elif isinstance(inner, dict):
            waiting += inner.values()
            if isinstance(inner.get("system"), str) and isinstance(inner.get("code"), str):
                found[inner["system"]] = None
    return list(found)


def _extensions(value: Any, path: str) -> Iterator[tuple[str, Place]]:
    waiting: list[tuple[Any, str]] = [(value, path)]
    while waiting:
        inner, at = waiting.pop()
        if isinstance(inner, list):
            waiting += [(one, f"{at}[{n}]") for n, one in enumerate(inner)]
        elif isinstance(inner, dict):
            for name, one in inner.items():
                waiting.append((one, f"{at}.{name.removeprefix('_')}"))
                if name in ("extension", "modifierExtension") and isinstance(one, list):
                    for n, extension in enumerate(one):
                        url = extension.get("url") if isinstance(extension, dict) else None
                        if isinstance(url, str) and ":" in url:
                            yield url, Place(extension, "Extension", f"{at}.{name}[{n}]")
