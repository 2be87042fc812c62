"""JSON Pointer (RFC 6901): places in a JSON value, and what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from threadwell.fhir.outcome import FhirError, invalid

#: Characters of a path that an error repeats.
_SHOWN = 200


def parse_pointer(text: Any, member: str) -> list[str]:
    """The parts of a pointer; raises 400 that names the ``member`` where it is none."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise invalid(f"Patch {member} must be a JSON Pointer")
    tokens = text.split("/")[1:]
    if "~" not in text:
        return tokens
    if "~" in text.replace("~0", "").replace("~1", ""):
        raise invalid(f"Patch {member} must be a JSON Pointer")
    return [token.replace("~1", "/").replace("~0", "~") for token in tokens]


def written(tokens: Sequence[str]) -> str:
    """The pointer of the parts, cut where it is long."""
    path = "".join(f"/{token.replace('~', '~0').replace('/', '~1')}" for token in tokens) or "/"
    return path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"


def get(document: Any, tokens: Sequence[str]) -> Any:
    """What is at the place; raises 400 where nothing is."""
    for depth, token in enumerate(tokens, 1):
        if isinstance(document, dict) and token in document:
            document = document[token]
        elif isinstance(document, list):
            document = document[index(token, len(document) - 1, tokens[:depth])]
        else:
            raise absent(tokens[:depth])
    return document


def find(document: Any, tokens: Sequence[str]) -> tuple[Any, Any]:
    """The object or list that holds what is at the place, and the name or index of it there."""
    if not tokens:
        raise invalid("Patch must leave a resource")
    parent, last = get(document, tokens[:-1]), tokens[-1]
    if isinstance(parent, dict) and last in parent:
        return parent, last
    if isinstance(parent, list):
        return parent, index(last, len(parent) - 1, tokens)
    raise absent(tokens)


def index(part: str, greatest: int, tokens: Sequence[str]) -> int:
    """The place in a list; RFC 6901 §4 has no leading zeros and no other digits than ASCII's."""
    if not (part.isascii() and part.isdigit()) or (len(part) > 1 and part[0] == "0"):
        raise invalid(f"Not a place in a list: {written(tokens)}")
    if len(part) > 9 or int(part) > greatest:
        raise absent(tokens)
    return int(part)


def absent(tokens: Sequence[str]) -> FhirError:
    """400: nothing is at the place."""
    return invalid(f"Value required at path: {written(tokens)}")
