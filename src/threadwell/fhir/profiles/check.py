"""A resource held against profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from threadwell.fhir.fhirpath.top import Top
from threadwell.fhir.outcome import Issue
from threadwell.fhir.profiles.compiling import Compiler
from threadwell.fhir.profiles.library import MALFORMED, Library
from threadwell.fhir.profiles.places import Place
from threadwell.fhir.profiles.said import Run, Test, TooMuch
from threadwell.fhir.resource import Resource
from threadwell.fhir.terminology.concepts import Concept


def check(resource: Resource, urls: Iterable[str], compiler: Compiler) -> list[Issue]:
    """What is wrong with a valid R4 resource by those profiles, by those that it and the resources
    in it claim, and by its known extensions' own.

    What breaks a profile is an ``error``; what a profile only warns of, a ``warning``; a profile
    that is not known, or cannot be used, is named as ``information``.
    """
    type_ = str(resource.get("resourceType"))
    run = Run(Top(resource), resource)
    try:
        _check(Place(resource, type_, type_), [*urls, *claimed(resource)], compiler, run)
        for place, whole in _inner(resource, type_):
            inner = Run(Top(place.value), whole, run.issues, run.looks)
            _check(place, claimed(place.value), compiler, inner)
        for url, found in _extensions(resource, type_):
            test = compiler.test_of(url)
            if test is not None:
                _held(test, found, run)
        with suppress(*MALFORMED):
            _check_codes(resource, type_, compiler.library, run)
    except TooMuch:
        run.say("too-costly", "The resource is too large to be held against its profiles", type_)
    return list(dict.fromkeys(run.issues))


def _check(place: Place, urls: Iterable[str], compiler: Compiler, run: Run) -> None:
    for url in dict.fromkeys(urls):
        test = compiler.test_of(url)
        if test is not None:
            _held(test, place, run)
            continue
        why = compiler.unusable.get(url)
        text = f"The profile {url[:200]} is not known here, so it is not checked"
        text = f"A profile cannot be used: {why}" if why else text
        run.say("not-found", text, f"{place.path}.meta.profile", "information")


def _held(test: Test, place: Place, run: Run) -> None:
    try:
        test(place, run)
    except MALFORMED:
        text = "What a profile says here cannot be understood, so it is not checked"
        run.say("not-supported", text, place.path, "information")


def _inner(resource: Resource, path: str) -> Iterator[tuple[Place, Any]]:
    """The resources within: each, and the one that its ``#`` references are about."""
    is_bundle = resource.get("resourceType") == "Bundle"
    for at, entry in enumerate(resource.get("entry", ()) if is_bundle else ()):
        one = entry.get("resource")
        if one is not None:
            where = f"{path}.entry[{at}].resource"
            yield Place(one, str(one.get("resourceType")), where), one
            yield from _inner(one, where)
    for at, one in enumerate(resource.get("contained", ())):
        yield Place(one, str(one.get("resourceType")), f"{path}.contained[{at}]"), resource


def claims(resource: Resource) -> list[str]:
    """The profiles that it and the resources in it claim."""
    urls = claimed(resource)
    if "contained" in resource or "entry" in resource:
        for place, _ in _inner(resource, "Bundle"):
            urls += claimed(place.value)
    return list(dict.fromkeys(urls))


def _check_codes(resource: Resource, path: str, library: Library, run: Run) -> None:
    """Codes that are not in their code system, where all of that is known here; a display that is
    another one is only warned of: it may be in another language.
    """
    for at, coding in _codings(resource, path):
        system = library.code_system(coding["system"])
        if system is None or not system.is_whole or not system.concepts:
            continue
        concept = system.find(coding["code"])
        if concept is None:
            text = f"The code system {system.url[:200]} has no such code"
            run.say("code-invalid", text, f"{at}.code")
        elif not _is_display(coding.get("display"), concept):
            text = f"The code system {system.url[:200]} has another display"
            run.say("code-invalid", text, f"{at}.display", "warning")


def _is_display(given: Any, concept: Concept) -> bool:
    if not isinstance(given, str) or not concept.display:
        return True
    listed = [concept.display, *(one.get("value") for one in concept.source.get("designation", ()))]
    return " ".join(given.lower().split()) in {" ".join(str(d).lower().split()) for d in listed}


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
    return list(dict.fromkeys(coding["system"] for _, coding in _codings(resource, "")))


def _codings(resource: Resource, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object that has a code and the url of a system, with its path; no narratives."""
    waiting: list[tuple[str, Any]] = [(path, resource)]
    while waiting:
        at, inner = waiting.pop()
        if isinstance(inner, list):
            waiting += [(f"{at}[{n}]", one) for n, one in enumerate(inner)]
        elif isinstance(inner, dict):
            waiting += [(f"{at}.{name}", one) for name, one in inner.items()]
            system = inner.get("system")
            if isinstance(system, str) and ":" in system and isinstance(inner.get("code"), str):
                yield at, inner


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
