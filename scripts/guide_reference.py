"""The page of the implementation guide: what Threadwell writes beyond FHIR R4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import make_guide

_ABOUT = """
What Threadwell has beyond FHIR R4, as `guide/` tells it: its extensions, its codes, the systems of
its identifiers, and its operations. `make guide` builds a package of it
(`dist/dev.threadwell.fhir-<version>.tgz`) for servers, and for HL7's validator:

```
java -jar validator_cli.jar encounter.json -version 4.0.1 -ig dist/dev.threadwell.fhir-0.1.0.tgz
```

`make judge` runs that validator, offline, over every version of every resource that Threadwell
writes: for the sample practice, and for one in which all happens that can happen (late messages,
billed sessions, answers, corrections, drafts, copies, another zone, newer zone data). With
`make judge US_CORE="us-core.tgz"` it judges the encounters by US Core as well. Neither finds an
error or a warning. Sessions that await a [review](../importing.md#reviews) are left out of the
latter: they have no `subject` yet, which US Core demands. Whether a code of SNOMED CT is in a value
set is not judged, since no package may hold SNOMED CT.
"""


def guide_page() -> Iterator[str]:
    """The lines of the page below its heading."""
    made = make_guide.resources()
    yield "# The implementation guide"
    yield _ABOUT.strip() + "\n"
    yield "## Extensions\n"
    yield "| url | stands at | holds | is |"
    yield "|---|---|---|---|"
    for one in _of_type(made, "StructureDefinition"):
        places = ", ".join(f"`{context['expression']}`" for context in one["context"])
        parts = "; ".join(_parts(one["differential"]["element"]))
        yield f"| `{one['url']}` | {places} | {parts} | {one['description']} |"
    yield "\n## Codes\n"
    for one in _of_type(made, "CodeSystem"):
        yield f"`{one['url']}`: {one['description']}\n"
        yield "| code | display | means |"
        yield "|---|---|---|"
        for concept in one["concept"]:
            yield f"| `{concept['code']}` | {concept['display']} | {concept['definition']} |"
        yield ""
    yield "## Identifiers\n"
    yield "| system | identifies |"
    yield "|---|---|"
    for one in _of_type(made, "NamingSystem"):
        systems = "<br>".join(f"`{unique['value']}`" for unique in one["uniqueId"])
        yield f"| {systems} | {one['description']} |"
    yield "\n## Operations"
    for one in _of_type(made, "OperationDefinition"):
        places = ", ".join(f"`POST {type_}/{{id}}/${one['code']}`" for type_ in one["resource"])
        yield f"\n{places} (`{one['url']}`): {one['description']}\n\n{one['comment']}\n"
        yield "| parameter | | is |"
        yield "|---|---|---|"
        for parameter in one["parameter"]:
            yield _parameter(parameter)
            yield from (_parameter(part, parameter) for part in parameter.get("part", ()))


def _parameter(parameter: dict[str, Any], whole: dict[str, Any] | None = None) -> str:
    """A line of the table; one for a part of a parameter names the ``whole``."""
    targets = ", ".join(one.rpartition("/")[2] for one in parameter.get("targetProfile", ()))
    type_ = f"`{parameter['type']}`" if "type" in parameter else "parts"
    type_ += f" ({targets})" if targets else ""
    name = f"{whole['name']}.{parameter['name']}" if whole else parameter["name"]
    number = f"{parameter['min']}..{parameter['max']}"
    held = f"{parameter['use']} {number}, {type_}"
    return f"| `{name}` | {held} | {parameter['documentation']} |"


def _of_type(made: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    return [one for one in made if one["resourceType"] == type_]


def _parts(elements: list[dict[str, Any]]) -> Iterator[str]:
    """What an extension holds: its value, or those of its parts by their names."""
    for element in elements:
        if element["path"].endswith(".value[x]") and element["max"] != "0":
            name = (
                element["id"].rpartition(":")[2].partition(".")[0] if ":" in element["id"] else ""
            )
            yield (f"`{name}`: " if name else "") + _held(element)


def _held(value: dict[str, Any]) -> str:
    (type_,) = value["type"]
    targets = [target.rpartition("/")[2] for target in type_.get("targetProfile", ())]
    return f"`{type_['code']}`" + (f" ({', '.join(targets)})" if targets else "")
