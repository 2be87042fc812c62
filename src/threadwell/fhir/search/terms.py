"""One value of a query as the query wrote it, read by its parameter's type (FHIR R4 §3.1.1.5).

Every function raises ``FhirError`` 400 that names the parameter, and never the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from threadwell.fhir.outcome import FhirError, invalid
from threadwell.fhir.search.catalogue import Catalogue, catalogue_of
from threadwell.fhir.search.field import Field
from threadwell.fhir.search.fold import contact_code, text_code
from threadwell.fhir.search.numbers import about, query_number
from threadwell.fhir.search.references import (
    parse_absolute,
    split_canonical,
    split_reference,
)
from threadwell.fhir.search.sought import (
    DateMatch,
    NumberMatch,
    Prefix,
    QuantityMatch,
    ReferenceMatch,
    TokenMatch,
)
from threadwell.fhir.search.times import query_range
from threadwell.fhir.search.values import of_type


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a query takes beside the query.

    ``bases`` are the FHIR bases that the server is known under, each a ``normal_base``, with the
    search parameters that it has (``catalogue.Home``). ``now`` is
    the time for ``ap``, in microseconds since 1970 UTC.
    """

    bases: frozenset[str]
    now: int

    @property
    def catalogue(self) -> Catalogue:
        """The search parameters that there are."""
        return catalogue_of(self.bases)


def split(text: str, separator: str) -> list[str]:
    r"""The parts of a text between separators that no ``\`` escapes, still escaped."""
    if "\\" not in text:
        return text.split(separator)
    parts, start, position = [], 0, 0
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == separator:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def is_escaped_rightly(text: str) -> bool:
    r"""Whether each ``\`` stands before one of ``,``, ``|``, ``$`` and ``\`` (§3.1.1.4.19)."""
    return "\\" not in text or "\\" not in _ESCAPE.sub("", text)


def unescape(text: str) -> str:
    r"""The text with ``\,``, ``\|``, ``\$`` and ``\\`` as what they stand for."""
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def token(field: Field, text: str) -> TokenMatch:
    """``code``, ``system|code``, ``|code`` or ``system|``.

    The system of a plain code is known and not in the data: naming it is as good as leaving it out.
    """
    system, bar, code = _bar(text)
    if not bar:
        system, code = "", system
    if not system and not code:
        raise bad(field, "a code")
    # A form decoder took the plus of ``+1555…`` for a space.
    if code.startswith(" "):
        code = f"+{code[1:]}"
    if "ContactPoint" in field.element_types:
        code = contact_code(code)
    elif "string" in field.element_types:
        code = text_code(code)
    if system and (found := plain_code(field, system, code)):
        return found
    return TokenMatch(system if bar else None, code or None)


def of_type_match(field: Field, text: str) -> TokenMatch:
    """``system|code|value``: an identifier of that value and type."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts):
        raise bad(field, "system|code|value")
    system, code, value = parts
    return TokenMatch(of_type(system, code), value)


def plain_code(field: Field, system: str, code: str) -> TokenMatch | None:
    """A code of a system that the data of a parameter do not name, as they have it: without."""
    known = field.systems.get(system) if field.systems else None
    if known is None or (code and code not in known):
        return None
    return TokenMatch("", code or None)


def concept(field: Field, text: str) -> TokenMatch:
    """``system|code``, where the code alone is enough if the parameter's data have one system."""
    system, bar, code = _bar(text)
    if not bar and field.systems and len(field.systems) == 1:
        [(only, _)] = field.systems.items()
        system, code = only, system
    if not system or not code:
        raise bad(field, "system|code")
    return TokenMatch(system, code)


def reference(field: Field, text: str, reading: Reading, type_: str = "") -> ReferenceMatch:
    """``Type/id``, ``id`` or a url, which becomes the first if it is below one of our bases.

    ``type_`` is the one that a modifier names; a bare id has it, or the only type there may be.
    """
    text = unescape(text)
    url, version = split_canonical(text) if is_named(field) else (text, "")
    absolute = parse_absolute(url)
    if absolute and absolute.base in reading.bases:
        found, id_ = absolute.type, absolute.id
    else:
        found, id_ = split_reference(url)
    if found:
        if type_ and found != type_:
            raise bad(field, f"a reference to {type_}")
        return ReferenceMatch(found, id_, "")
    if not _ANY_URL.isdisjoint(field.element_types) and _ID.fullmatch(url):
        only = field.targets[0] if len(field.targets) == 1 else ""
        return ReferenceMatch(type_ or only, url, "")
    if "Resource" in field.element_types and _ID.fullmatch(text):
        return ReferenceMatch(type_, text, "")
    if type_ or not (":" in text or text.startswith("#") or is_named(field)):
        raise bad(field, "a reference: Type/id, an id or a url")
    if is_named(field):
        return ReferenceMatch("", "", f"{url}|{version}" if version else url)
    return ReferenceMatch("", "", absolute.url if absolute else text)


def is_named(field: Field) -> bool:
    """Whether a reference parameter holds canonicals, or uris that serve as such."""
    return not _NAMED.isdisjoint(field.element_types)


def date(field: Field, text: str, reading: Reading) -> DateMatch:
    """A date with a prefix; ``ap`` is a tenth of the time between it and now to either side."""
    prefix, text = _prefix(text)
    try:
        # A form decoder took the plus of ``+02:00`` for a space.
        low, high = query_range(text.replace(" ", "+"))
    except ValueError:
        raise bad(field, "a date") from None
    if prefix is Prefix.AP:
        gap = max(reading.now - high, low - reading.now, 0) // 10
        low, high = low - gap, high + gap
    return DateMatch(prefix, low, high)


def number(field: Field, text: str) -> NumberMatch:
    """A number with a prefix."""
    return NumberMatch(*_number(field, text))


def quantity(field: Field, text: str) -> QuantityMatch:
    """``number``, ``number|system|code`` or ``number||code``, with a prefix."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) not in {1, 3}:
        raise bad(field, "a quantity: number, number|system|code or number||code")
    system, code = parts[1:] or ("", "")
    return QuantityMatch(*_number(field, parts[0]), system or None, code or None)


def bad(field: Field, expected: str) -> FhirError:
    """400: the value is not what the parameter takes."""
    return invalid(f"Invalid value for search parameter {field.name}: expected {expected}")


_ESCAPE = re.compile(r"\\([,|$\\])")
_NAMED = frozenset({"canonical", "uri"})
_ANY_URL = frozenset({"canonical", "Reference"})
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_PREFIXES = {prefix.value: prefix for prefix in Prefix}


def _bar(text: str) -> tuple[str, bool, str]:
    if "\\" not in text:
        system, bar, code = text.partition("|")
        return system, bool(bar), code
    system, *rest = split(text, "|")
    return unescape(system), bool(rest), unescape("|".join(rest))


def _prefix(text: str) -> tuple[Prefix, str]:
    prefix = _PREFIXES.get(text[:2])
    return (prefix, text[2:]) if prefix else (Prefix.EQ, text)


def _number(field: Field, text: str) -> tuple[Prefix, Decimal, Decimal, Decimal]:
    prefix, text = _prefix(text)
    try:
        value, low, high = query_number(text)
    except ValueError:
        raise bad(field, "a number") from None
    if prefix is Prefix.AP:
        least, most = about(value)
        low, high = min(low, least), max(high, most)
    return prefix, value, low, high
