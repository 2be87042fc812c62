"""Builds the implementation guide package out of ``guide/``: what Threadwell writes beyond R4.

``python scripts/make_guide.py [FILE]`` writes it to ``dist/`` (or to FILE), in the form in which
FHIR's tools take packages (a ``.tgz`` with ``package/package.json``). The same sources always give
the same bytes. ``guide/README.md`` tells what the sources look like.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from threadwell.app import CHANNEL_NAMES
from threadwell.fhir.definitions.structures import elements

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "guide"

R4 = "4.0.1"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
#: What ends the systems of identifiers that are followed by a part.
PARTS = {"channel": CHANNEL_NAMES}

#: What a differential tells of an element.
_DIFFERS = frozenset(
    ("id", "path", "sliceName", "short", "definition", "min", "max", "type", "slicing")
) | {"fixedUri", "binding"}

Json = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Write the package and print where to."""
    target = Path(arguments[0]) if arguments else default_target()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(package())
    print(f"{target}: {target.stat().st_size:,} bytes")


def default_target() -> Path:
    """Where the package is written to if nothing else is asked for."""
    return ROOT / "dist" / f"{about()['name']}-{version()}.tgz"


def about() -> Json:
    """What is said of the guide as a whole."""
    found: Json = json.loads((GUIDE / "guide.json").read_text("utf-8"))
    return found


def version() -> str:
    """The guide has the version of Threadwell."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return str(project["project"]["version"])


def resources() -> list[Json]:
    """Every resource of the guide, the ImplementationGuide first."""
    made = [
        *(extension(id_, source) for id_, source in sources("extensions")),
        *(r for id_, source in sources("code-systems") for r in code_system(id_, source)),
        *(naming_system(id_, source) for id_, source in sources("identifiers")),
        *(search_parameter(id_, source) for id_, source in sources("search-parameters")),
        *(whole(id_, source) for folder in ("operations",) for id_, source in sources(folder)),
    ]
    return [implementation_guide(made), *made]


def sources(folder: str) -> Iterator[tuple[str, Json]]:
    """Id and content of each source in a folder of the guide, in order."""
    for path in sorted((GUIDE / folder).glob("*.json")):
        yield path.stem, json.loads(path.read_text("utf-8"))


def extension(id_: str, source: Json) -> Json:
    """An extension with its snapshot: of one value, or of ``parts`` that are extensions in it."""
    url = f"{about()['canonical']}/StructureDefinition/{id_}"
    snapshot = [
        _root("Extension", source),
        *_members("Extension", url, source),
    ]
    return {
        **_head("StructureDefinition", id_, source),
        "fhirVersion": R4,
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": one} for one in source["context"]],
        "type": "Extension",
        "baseDefinition": f"{HL7}Extension",
        "derivation": "constraint",
        "snapshot": {"element": snapshot},
        "differential": {
            "element": [
                {name: value for name, value in element.items() if name in _DIFFERS}
                for element in snapshot
                if not element["id"].endswith(".id")
            ]
        },
    }


def _root(id_: str, source: Json) -> Json:
    """The element that an extension is, or within another one the part that it is."""
    slice_ = id_.rpartition(":")[2] if ":" in id_ else ""
    base = {"path": "Element.extension" if slice_ else "Extension", "min": 0, "max": "*"}
    return {
        "id": id_,
        "path": _path(id_),
        **({"sliceName": slice_} if slice_ else {}),
        "short": source.get("title", source["description"]),
        "definition": source["description"],
        "min": source.get("min", 0),
        "max": source.get("max", "1"),
        "base": base,
        **({"type": [{"code": "Extension"}]} if slice_ else {}),
        "isModifier": False,
    }


def _members(id_: str, url: str, source: Json) -> Iterator[Json]:
    """What the extension, or the part, is made of."""
    parts = source.get("parts", {})
    yield _element(
        id_, "id", "Element.id", "1", "An id within the resource.", type=[_system("string")]
    )
    inner = _element(
        id_,
        "extension",
        "Element.extension",
        "*" if parts else "0",
        "What it tells." if parts else "There are no extensions within this one.",
        type=[{"code": "Extension"}],
    )
    by_url = {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}
    yield {**inner, "slicing": by_url} if parts else inner
    for name, part in parts.items():
        yield _root(f"{id_}.extension:{name}", part)
        yield from _members(f"{id_}.extension:{name}", name, part)
    which = "Which extension it is."
    yield _element(id_, "url", "Extension.url", "1", which, type=[_system("uri")], fixedUri=url)
    if parts:
        none = "It has extensions instead of a value."
        (value,) = (e for e in elements("Extension") if e.choice)
        any_ = [{"code": type_} for type_ in value.types]
        yield _element(id_, "value[x]", "Extension.value[x]", "0", none, type=any_)
        return
    type_: Json = {"code": source["type"]}
    if "targets" in source:
        type_["targetProfile"] = [HL7 + target for target in source["targets"]]
    binding: Json = {}
    if "codes" in source:
        set_ = f"{about()['canonical']}/ValueSet/{source['codes']}"
        binding = {"binding": {"strength": "required", "valueSet": f"{set_}|{version()}"}}
    held = _element(
        id_, "value[x]", "Extension.value[x]", "1", source["description"], type=[type_], **binding
    )
    yield {**held, "min": 1}


def _element(id_: str, name: str, base: str, most: str, definition: str, **more: Any) -> Json:
    required = int(base == "Extension.url")
    many = "*" if base == "Element.extension" else "1"
    return {
        "id": f"{id_}.{name}",
        "path": _path(f"{id_}.{name}"),
        "short": definition,
        "definition": definition,
        "min": required,
        "max": most,
        "base": {"path": base, "min": required, "max": many},
        **more,
    }


def _path(id_: str) -> str:
    """The path of an element, whose id names slices too (``Extension.extension:x.url``)."""
    return ".".join(step.partition(":")[0] for step in id_.split("."))


def _system(type_: str) -> Json:
    """The type of an element that is FHIRPath's own, and FHIR's name of it."""
    named = {"url": f"{HL7}structuredefinition-fhir-type", "valueUrl": type_}
    return {"extension": [named], "code": "http://hl7.org/fhirpath/System.String"}


def code_system(id_: str, source: Json) -> Iterator[Json]:
    """A code system, and the value set of all its codes; of others' systems a fragment only."""
    fragment = source.get("fragment", False)
    head = {**_head("CodeSystem", id_, source), **({"url": source["url"]} if fragment else {})}
    concepts = [
        {"code": code, "display": display, "definition": definition}
        for code, (display, definition) in source["concepts"].items()
    ]
    made = {**head, "caseSensitive": True, "content": "fragment" if fragment else "complete"}
    if fragment:
        yield {**made, "concept": concepts}
        return
    set_ = _head("ValueSet", id_, source)
    yield {**made, "valueSet": set_["url"], "count": len(concepts), "concept": concepts}
    yield {**set_, "compose": {"include": [{"system": head["url"]}]}}


def naming_system(id_: str, source: Json) -> Json:
    """The systems of a kind of identifier: one, or one for each part that may follow."""
    system = f"{about()['canonical']}/identifier/{id_}"
    parts = source.get("parts", ())
    listed = PARTS[parts] if isinstance(parts, str) else parts
    systems = [f"{system}/{part}" for part in listed] or [system]
    head = _head("NamingSystem", id_, source)
    for unknown in ("url", "version", "title", "experimental"):  # R4's NamingSystem has none
        del head[unknown]
    return {
        **head,
        "kind": "identifier",
        "responsible": about()["publisher"],
        "usage": f"Identifies resources of these types: {source['on']}",
        "uniqueId": [{"type": "uri", "value": one} for one in systems],
    }


def search_parameter(id_: str, source: Json) -> Json:
    """A search parameter; the name that R4 wants of one is its code."""
    head = _head("SearchParameter", id_, source)
    del head["title"]
    told = {key: value for key, value in source.items() if key not in ("title", "description")}
    return {**head, **told, "base": [source["base"]]}


def whole(id_: str, source: Json) -> Json:
    """A resource that stands in the guide as it is, but for what all have in common."""
    return {**_head(source["resourceType"], id_, source), **source}


def implementation_guide(made: list[Json]) -> Json:
    """The resource that lists all others."""
    guide = about()
    head = _head("ImplementationGuide", guide["name"], guide)
    return {
        **head,
        "url": f"{guide['canonical']}/ImplementationGuide/{guide['name']}",
        "packageId": guide["name"],
        "license": guide["license"],
        "fhirVersion": [R4],
        "definition": {
            "resource": [
                {
                    "reference": {"reference": f"{one['resourceType']}/{one['id']}"},
                    "name": one.get("title", one["name"]),
                    "description": one["description"],
                    "exampleBoolean": False,
                }
                for one in made
            ]
        },
    }


def _head(type_: str, id_: str, source: Json) -> Json:
    guide = about()
    return {
        "resourceType": type_,
        "id": id_,
        "url": f"{guide['canonical']}/{type_}/{id_}",
        "version": version(),
        "name": "".join(word.capitalize() for word in id_.replace(".", "-").split("-")),
        "title": source["title"],
        "status": "active",
        "experimental": False,
        "date": guide["date"],
        "publisher": guide["publisher"],
        "description": source["description"],
    }


def package() -> bytes:
    """The package, as the bytes of a ``.tgz``."""
    guide, listed = about(), {f"{r['resourceType']}-{r['id']}.json": r for r in resources()}
    manifest = {
        "name": guide["name"],
        "version": version(),
        "type": "fhir.ig",
        "canonical": guide["canonical"],
        "title": guide["title"],
        "description": guide["description"],
        "author": guide["publisher"],
        "license": guide["license"],
        "fhirVersions": [R4],
        "dependencies": {"hl7.fhir.r4.core": R4},
    }
    shown = ("resourceType", "id", "url", "version", "kind", "type", "content")
    index = {
        "index-version": 2,
        "files": [
            {"filename": name, **{key: one[key] for key in shown if key in one}}
            for name, one in listed.items()
        ],
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in {"package.json": manifest, ".index.json": index, **listed}.items():
            text = json.dumps(content, ensure_ascii=False, indent=2).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return gzip.compress(packed.getvalue(), 9, mtime=0)


if __name__ == "__main__":
    main(sys.argv[1:])
