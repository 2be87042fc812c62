"""Values of search parameters by their types: sound ones, odd ones, and none that any type has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

#: The marker in all that is hidden from the participant, and that no log may show.
HIDDEN = "Qzkvhidden"

_WORDS = ("ann", "Ándré", "O'Brien", "李", "\u0130stanbul", "ﬁn", "a,b", "x|y", "50%", "_", "%", "")
_ODD = (
    *(
        "",
        " ",
        ",",
        "|",
        "||",
        "|||",
        "$",
        "\\",
        "\\,",
        "\\\\",
        "\\|",
        "a\\",
        ",,,,",
        "null",
        "None",
    ),
    *(
        "\x00",
        "\x01",
        "\x7f",
        "\ufeff",
        "\u202e",
        "\ud7ff",
        "\U0010ffff",
        "\u0000a",
        "e\u0301" * 200,
    ),
    *(
        "a" * 3000,
        "," * 500,
        "|" * 500,
        "(" * 300,
        "'",
        '"',
        ";",
        "--",
        "/*",
        "*",
        "?",
        "#",
        "&",
        "=",
    ),
    *("%s", "%d", "{0}", "${x}", "{{x}}", "$1", ":1", "?1", "@a", "\r\n", "\n", "\t"),
)
_NUMBERS = (
    *(
        "0",
        "1",
        "-1",
        "5.40",
        "1e3",
        "1E-3",
        "100",
        "0.00",
        "-0",
        "+1",
        "1e999",
        "-1e999",
        "1e-999",
    ),
    *(
        "9" * 17,
        "9" * 18,
        "9" * 400,
        "0." + "0" * 400 + "1",
        "NaN",
        "inf",
        "-Infinity",
        "1_000",
        "0x10",
    ),
    *("١٢", "１", "1,5", "1 000", "1e", "e1", ".", "5.", ".5", "1e2147483648", "--1", "1/2", "½"),
)
_DATES = (
    *("2024", "2024-05", "2024-05-13", "2024-05-13T10", "2024-05-13T10:00", "2024-05-13T10:00:00Z"),
    *(
        "2024-05-13T10:00:00.123456789123456789Z",
        "2024-05-13T10:00:00+14:00",
        "2024-05-13T10:00:00-12:00",
    ),
    *(
        "2024-05-13T10:00:00+99:99",
        "2024-05-13T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2024-02-30",
        "0000",
    ),
    *(
        "0001",
        "9999",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ),
    *(
        "10000",
        "24",
        "2024-13",
        "2024-00-00",
        "2024-5-1",
        "２０２４",
        "now",
        "2024-05-13 10:00",
        "-2024",
    ),
)
_PREFIXES = (
    "",
    "",
    "",
    "eq",
    "ne",
    "gt",
    "lt",
    "ge",
    "le",
    "sa",
    "eb",
    "ap",
    "xx",
    "EQ",
    "gtgt",
    "lt ",
)
_SYSTEMS = (
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://loinc.org",
    "http://unitsofmeasure.org",
    "urn:oid:2.16.840.1.113883.4.1",
    "",
    "relative",
    "http://[",
    "urn:",
)
_CODES = (
    "VR",
    "completed",
    "in-progress",
    "1",
    "",
    "SMSWRIT",
    "true",
    "a b",
    "mg",
    "[degF]",
    "10*3/uL",
)
_URIS = (
    "http://hl7.org/fhir/ValueSet/event-status",
    "http://hl7.org/fhir/ValueSet/event-status|4.0.1",
    "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",
    "//",
    "http://",
    "http://[::1",
    "mailto:a",
    "x:" + "y" * 2000,
)
MODIFIERS = (
    *(
        "exact",
        "contains",
        "missing",
        "not",
        "text",
        "in",
        "not-in",
        "above",
        "below",
        "identifier",
    ),
    *(
        "of-type",
        "iterate",
        "code-text",
        "text-advanced",
        "Patient",
        "Nothing",
        "",
        "missing:missing",
    ),
)


def odd(chance: Random) -> str:
    """A value that is no type's in particular."""
    return chance.choice(_ODD)


def value(chance: Random, type_: str, references: Sequence[str], *, mild: bool = False) -> str:
    """One value for a search parameter of that type; several alternatives now and then."""
    if mild and type_ in _MILD:
        return chance.choice(_MILD[type_])
    if not mild and chance.random() < 0.12:
        return odd(chance)
    make = _MAKERS.get(type_, _string)
    many = chance.choice((2, 4, 60)) if chance.random() < 0.1 else 1
    made = ",".join(make(chance, references) for _ in range(many))
    return made[:6000]


def _string(chance: Random, _: Sequence[str]) -> str:
    return chance.choice(_WORDS) + chance.choice(("", "", " ", "*", "%", "_"))


def _number(chance: Random, _: Sequence[str]) -> str:
    return chance.choice(_PREFIXES) + chance.choice(_NUMBERS)


def _quantity(chance: Random, _: Sequence[str]) -> str:
    unit = f"{chance.choice(_SYSTEMS)}|{chance.choice(_CODES)}"
    return _number(chance, _) + chance.choice(
        ("", f"|{unit}", f"||{chance.choice(_CODES)}", "|", "|a")
    )


def _date(chance: Random, _: Sequence[str]) -> str:
    return chance.choice(_PREFIXES) + chance.choice(_DATES)


def _token(chance: Random, _: Sequence[str]) -> str:
    code = chance.choice(_CODES)
    return chance.choice(
        (code, f"{chance.choice(_SYSTEMS)}|{code}", f"|{code}", f"{code}|", f"a|b|{code}")
    )


def _reference(chance: Random, references: Sequence[str]) -> str:
    known = chance.choice(references)
    type_, _, id_ = known.partition("/")
    return chance.choice(
        (
            *(
                known,
                known,
                id_,
                f"{type_}/",
                f"/{id_}",
                f"{known}/_history/1",
                f"http://else.example/{known}",
            ),
            *(
                f"#{id_}",
                f"urn:uuid:{id_}",
                "Patient/../Patient",
                "Nothing/1",
                f"{type_}/{'a' * 65}",
                "|1",
                "#",
            ),
        )
    )


def _uri(chance: Random, _: Sequence[str]) -> str:
    return chance.choice(_URIS)


def _composite(chance: Random, references: Sequence[str]) -> str:
    kinds = [kind for kind in _MAKERS if kind != "composite"]
    return "$".join(
        _MAKERS[chance.choice(kinds)](chance, references)
        for _ in range(chance.choice((1, 2, 2, 3)))
    )


_MAKERS: dict[str, Callable[[Random, Sequence[str]], str]] = {
    "string": _string,
    "number": _number,
    "quantity": _quantity,
    "date": _date,
    "token": _token,
    "reference": _reference,
    "uri": _uri,
}
_MILD: dict[str, Sequence[str]] = {
    "date": ("2024", "ge2024-01", "lt2030-05-13", "le2025-05-13T10:00:00Z", "sa2024-05-13"),
    "number": ("5", "gt1", "le0.5"),
    "quantity": ("5", "gt1||mg", "5.4|http://unitsofmeasure.org|mg"),
    "string": ("ann", "o", "li"),
    "token": (
        "VR",
        "completed",
        "|in-progress",
        "finished",
        f"{_SYSTEMS[0]}|VR",
        f"{_SYSTEMS[0]}|",
    ),
}
_MAKERS["composite"] = _composite
