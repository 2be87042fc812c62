"""What a reference leads to, however it is written (FHIR R4 references.html).

A literal one is relative (``Patient/1``), absolute (``https://…/Patient/1``), or within its
resource (``#1``), and may name a version (``…/_history/2``); a canonical is the ``url`` of a
resource, and may end in ``|version``. Each has one normal form: type and id where it leads to a
resource of the server's own, else a url without its version.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from copy import deepcopy
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import search_parameters
from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.references import references
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.values import CompositeValue, IndexValue, IndexValues, ReferenceValue

#: Where the FHIR API is below a server's URL.
FHIR_PATH = "/fhir/R4"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_HISTORY = "/_history/"
_PORTS = {"http": ":80", "https": ":443"}


class Absolute(NamedTuple):
    """A resource by its URL on some server; ``base`` is the server's, in its ``normal_base``."""

    base: str
    type: str
    id: str
    version: str

    @property
    def url(self) -> str:
        """The URL of the resource, whatever the version."""
        return f"{self.base}/{self.type}/{self.id}"


# Small, as it serves one resource: its subject, sender and recipients are often the same.
@lru_cache(maxsize=128)
def split_reference(text: str) -> tuple[str, str]:
    """Type and id of a relative reference, ``("", "")`` of any other.

    The version of ``Patient/1/_history/2`` is dropped: a search looks for the resource.
    """
    type_, _, id_ = text.partition("/")
    if type_ not in RESOURCE_TYPES or not id_:
        return "", ""
    id_, slash, rest = id_.partition("/")
    return (type_, id_) if not slash or rest.startswith("_history/") else ("", "")


def parse_absolute(text: str) -> Absolute | None:
    """The parts of a URL that ends in ``Type/id``, or in a version of that; else ``None``."""
    if not text[:8].lower().startswith(("http://", "https://")):
        return None
    url, _, version = text.partition(_HISTORY)
    base, type_, id_ = ["", *url.rsplit("/", 2)][-3:]
    if type_ not in RESOURCE_TYPES or not _ID.fullmatch(id_) or "://" not in base:
        return None
    return Absolute(normal_base(base), type_, id_, version)


def is_id(text: str) -> bool:
    """Whether it has the form of a logical id."""
    return bool(_ID.fullmatch(text))


@lru_cache(maxsize=128)
def normal_base(url: str) -> str:
    """A base with a small scheme and host, and without the usual port or slashes at its end."""
    scheme, _, rest = url.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    scheme, host = scheme.lower(), host.lower()
    return f"{scheme}://{host.removesuffix(_PORTS.get(scheme, ''))}{slash}{path}"


def loopback_bases(base: str) -> set[str]:
    """The base under the other names that a machine has for itself, where it has one of them."""
    found = normal_base(base)
    host = urlsplit(found).hostname or ""
    names = {"localhost", "127.0.0.1", "[::1]"}
    shown = f"[{host}]" if ":" in host else host
    if shown not in names:
        return {found}
    return {found.replace(f"://{shown}", f"://{name}", 1) for name in names}


def split_canonical(text: str) -> tuple[str, str]:
    """The url of a canonical and its version, ``""`` without one; a fragment is left out."""
    url, _, version = text.partition("|")
    if not url.startswith("#"):
        url = url.partition("#")[0]
    return url, version.partition("#")[0]


def reference_type(reference: Mapping[str, Any]) -> str:
    """The type of the resource that a Reference leads to, as far as it says; else ``""``."""
    text = reference.get("reference", "")
    type_ = split_reference(text)[0]
    if type_:
        return type_
    absolute = parse_absolute(text)
    return absolute.type if absolute else str(reference.get("type", ""))


def localised(values: IndexValues, bases: Container[str]) -> IndexValues:
    """The values with every reference to a resource below one of ``bases`` by type and id."""
    return {code: [localised_value(value, bases) for value in of] for code, of in values.items()}


def localised_value(value: IndexValue, bases: Container[str]) -> IndexValue:
    """One value; those that refer to nothing of our own are as they were."""
    if isinstance(value, ReferenceValue):
        return own(value, bases)
    if isinstance(value, CompositeValue):
        return CompositeValue(
            tuple([tuple([localised_value(one, bases) for one in c]) for c in value.components])
        )
    return value


def own(value: ReferenceValue, bases: Container[str]) -> ReferenceValue:
    """The reference by type and id, if it leads below one of ``bases``; else as it is."""
    absolute = parse_absolute(value.url) if value.url and not value.id else None
    if absolute is None or absolute.base not in bases:
        return value
    # A canonical stays the url that it is: a resource of that url may have another id.
    url = value.url if value.canonical else ""
    return value._replace(type=absolute.type, id=absolute.id, url=url)


def contained(resource: Resource) -> dict[str, Resource]:
    """What a resource contains, by the reference that leads there (``#1``)."""
    return {
        f"#{one['id']}": one
        for one in resource.get("contained") or ()
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    }


def with_types(resource: Resource) -> Resource:
    """The resource; where it contains others, a copy whose references to these tell their types.

    A search parameter may be about references to one type only (``resolve() is Patient``).
    """
    inside = contained(resource)
    if not inside:
        return resource
    copy = deepcopy(resource)
    for _, reference in references(copy):
        target = inside.get(reference["reference"])
        if target is not None and "type" not in reference:
            reference["type"] = target.get("resourceType", "")
    return copy


class Name(NamedTuple):
    """What canonicals call a resource: its ``url``, and its business version or ``""``."""

    url: str
    version: str


def name_of(resource: Resource) -> Name:
    """The name of a resource; its url is ``""`` where it has none."""
    if not is_named(resource["resourceType"]):
        return Name("", "")
    return Name(resource.get("url") or "", resource.get("version") or "")


@cache
def is_named(type_: str) -> bool:
    """Whether the resources of a type may have names that canonicals lead to.

    R4 has one type with a ``url`` by which nothing can be searched: DeviceDefinition.
    """
    has_name = any(element.name == "url" and "uri" in element.types for element in elements(type_))
    return has_name and "url" in search_parameters(type_)


def leads_to(value: ReferenceValue, type_: str, id_: str, name: Name) -> bool:
    """Whether a reference leads to a resource: by its type and id, or by its name.

    A canonical without a version leads to each version.
    """
    if value.id and (value.type, value.id) == (type_, id_):
        return True
    if not value.canonical or not value.url or value.url != name.url:
        return False
    return value.version in ("", name.version)
