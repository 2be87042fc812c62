"""Which of R4's code systems, value sets and concept maps are compiled in, and what of them.

Left out is what lists codes of others (SNOMED CT, LOINC, DICOM …): their licences are not HL7's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]

#: Where code systems are HL7's own; those of ISO, IETF and UCUM are listed in R4 in part.
_OURS = (
    "http://hl7.org/fhir",
    "http://terminology.hl7.org/",
    "urn:iso:std:iso:",
    "urn:ietf:",
    "http://unitsofmeasure.org",
)
_COMMON = ("resourceType", "id", "url", "version", "name", "title", "status")
_KEPT = {
    "CodeSystem": (
        "caseSensitive",
        "valueSet",
        "hierarchyMeaning",
        "content",
        "property",
        "concept",
    ),
    "ConceptMap": ("sourceUri", "sourceCanonical", "targetUri", "targetCanonical", "group"),
    "ValueSet": ("compose",),
}


def terminology(package: Mapping[str, Sequence[Json]], guide: Path) -> list[Json]:
    """What is compiled in, without narratives, contacts, histories and extensions."""
    found = [
        _plain({name: resource[name] for name in (*_COMMON, *kept) if name in resource})
        for type_, kept in _KEPT.items()
        for resource in package[type_]
        if _is_ours(resource)
    ]
    return [*found, *own(guide)]


def own(guide: Path) -> Iterator[Json]:
    """Threadwell's own code systems, each with the value set of all its codes."""
    canonical = json.loads((guide / "guide.json").read_text("utf-8"))["canonical"]
    for path in sorted((guide / "code-systems").glob("*.json")):
        source: Json = json.loads(path.read_text("utf-8"))
        if source.get("fragment"):
            continue
        system = f"{canonical}/CodeSystem/{path.stem}"
        head = {"id": path.stem, "title": source["title"], "status": "active"}
        concept = [
            {"code": code, "display": display, "definition": definition}
            for code, (display, definition) in source["concepts"].items()
        ]
        told = {"caseSensitive": True, "content": "complete", "concept": concept}
        yield {"resourceType": "CodeSystem", "url": system, **head, **told}
        url = f"{canonical}/ValueSet/{path.stem}"
        compose = {"include": [{"system": system}]}
        yield {"resourceType": "ValueSet", "url": url, **head, "compose": compose}


def _is_ours(resource: Json) -> bool:
    parts = [part for part in _parts(resource) if "concept" in part or "element" in part]
    systems = [
        part[name] for part in parts for name in ("system", "source", "target") if name in part
    ]
    if resource["resourceType"] == "CodeSystem":
        systems.append(resource["url"])
    return "url" in resource and all(str(system).startswith(_OURS) for system in systems)


def _parts(resource: Json) -> list[Json]:
    compose = resource.get("compose", {})
    return [*compose.get("include", ()), *compose.get("exclude", ()), *resource.get("group", ())]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        named = {name: _plain(one) for name, one in value.items() if name[0] != "_"}
        named.pop("extension", None)
        return named
    return [_plain(one) for one in value] if isinstance(value, list) else value
