"""A small implementation guide of an invented practice, as a package, for tests."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

CANONICAL = "https://guide.example.org"
SD = "http://hl7.org/fhir/StructureDefinition/"


def url(type_: str, name: str) -> str:
    """The canonical of a definition of the guide."""
    return f"{CANONICAL}/{type_}/{name}"


def packed(files: Mapping[str, Any], *, root: str = "package/") -> bytes:
    """A ``.tgz`` of JSON files, or of bytes as they are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(root + name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return out.getvalue()


def manifest(name: str = "org.example.guide", version: str = "1.0.0", **more: Any) -> Any:
    """A ``package.json``."""
    head = {"name": name, "version": version, "fhirVersions": ["4.0.1"], "canonical": CANONICAL}
    return {**head, "title": "Guide of a practice", **more}


def profile(
    name: str, type_: str, *elements: dict[str, Any], version: str = "1.0.0", **more: Any
) -> dict[str, Any]:
    """A profile by its differential: each element has a ``path`` and what differs."""
    listed = [{"id": type_, "path": type_}]
    for element in elements:
        path = element["path"]
        slice_ = element.get("sliceName")
        listed.append({"id": f"{path}:{slice_}" if slice_ else path, **element})
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": url("StructureDefinition", name),
        "version": version,
        "name": name,
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": type_,
        "baseDefinition": f"{SD}{type_}",
        "derivation": "constraint",
        "differential": {"element": listed},
        **more,
    }


def extension(name: str, type_: str, **value: Any) -> dict[str, Any]:
    """A simple extension with a value of one type."""
    made = profile(
        name,
        "Extension",
        {"path": "Extension.extension", "max": "0"},
        {"path": "Extension.url", "fixedUri": url("StructureDefinition", name)},
        {"path": "Extension.value[x]", "min": 1, "type": [{"code": type_}], **value},
    )
    return {**made, "kind": "complex-type"}


def codes(name: str, *listed: str, content: str = "complete") -> dict[str, Any]:
    """A code system."""
    return {
        "resourceType": "CodeSystem",
        "id": name,
        "url": url("CodeSystem", name),
        "version": "1.0.0",
        "status": "active",
        "content": content,
        "concept": [{"code": code, "display": code.title()} for code in listed],
    }


def value_set(name: str, *include: dict[str, Any]) -> dict[str, Any]:
    """A value set."""
    return {
        "resourceType": "ValueSet",
        "id": name,
        "url": url("ValueSet", name),
        "version": "1.0.0",
        "status": "active",
        "compose": {"include": list(include)},
    }


def bound(name: str, strength: str = "required") -> dict[str, str]:
    """A binding to a value set of the guide."""
    return {"strength": strength, "valueSet": url("ValueSet", name)}


def guide(**more: Any) -> bytes:
    """The whole guide: a Patient, an Observation, a thread's Communication."""
    wards = {"system": url("CodeSystem", "wards")}
    definitions = [
        codes("wards", "north", "south"),
        value_set("wards", wards),
        extension("ward", "Coding", binding=bound("wards")),
        profile(
            "patient",
            "Patient",
            {"path": "Patient.name", "min": 1},
            {"path": "Patient.birthDate", "min": 1},
            {"path": "Patient.photo", "max": "0"},
            {
                "path": "Patient.extension",
                "sliceName": "ward",
                "max": "1",
                "type": [{"code": "Extension", "profile": [url("StructureDefinition", "ward")]}],
            },
        ),
        profile(
            "reading",
            "Observation",
            {"path": "Observation.status", "fixedCode": "final"},
            {"path": "Observation.subject", "min": 1, "type": [
                {"code": "Reference", "targetProfile": [url("StructureDefinition", "patient")]}]},
            {"path": "Observation.value[x]", "type": [{"code": "Quantity"}]},
        ),
    ]  # fmt: skip
    files = {f"{one['resourceType']}-{one['id']}.json": one for one in definitions}
    return packed({"package.json": manifest(**more), **files})
