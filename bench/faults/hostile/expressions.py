"""Expressions in the three languages that the API takes: FHIRPath, ``_filter``, GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_PATHS = (
    "name",
    "Patient.name",
    "given",
    "%resource",
    "$this",
    "telecom.where(system='phone')",
    "id",
    "code",
)
_CALLS = (
    *(
        "first()",
        "count()",
        "exists()",
        "empty()",
        "not()",
        "descendants()",
        "children()",
        "distinct()",
    ),
    *(
        "repeat(children())",
        "all($this.exists())",
        "where(true)",
        "select($this)",
        "ofType(string)",
        "toString()",
    ),
    *(
        "iif(true, 1, 2)",
        "take(1)",
        "skip(-1)",
        "substring(0, 99999999999)",
        "indexOf('a')",
        "split('')",
    ),
    *(
        "matches('a')",
        "replace('a', 'b')",
        "upper()",
        "length()",
        "toInteger()",
        "is(Patient)",
        "as(string)",
    ),
    *(
        "resolve()",
        "extension('x')",
        "hasValue()",
        "memberOf('x')",
        "trace('a')",
        "nothing()",
        "power(99)",
    ),
    *(
        "toQuantity()",
        "aggregate($total + 1, 0)",
        "combine(children())",
        "union(name)",
        "today()",
        "round(400)",
    ),
)
_OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "&",
    "|",
    "and",
    "or",
    "xor",
    "implies",
    "=",
    "!=",
    "~",
    "<",
    ">=",
    "in",
    "div",
    "mod",
)
_LITERALS = (
    "1",
    "0",
    "'a'",
    "@2024",
    "@T10:00",
    "true",
    "{}",
    "1.5",
    "9999999999999999999",
    "5 'mg'",
    "'\\u12'",
    "1 year",
)
_OPS = (
    "eq",
    "ne",
    "co",
    "sw",
    "ew",
    "gt",
    "lt",
    "ge",
    "le",
    "ap",
    "sa",
    "eb",
    "pr",
    "po",
    "ss",
    "sb",
    "in",
    "ni",
    "re",
    "zz",
)


def fhirpath(chance: Random, depth: int = 0) -> str:
    """An expression; deep, long or no expression at all now and then."""
    roll = chance.random()
    if depth > 4 or roll < 0.3:
        return chance.choice((*_PATHS, *_LITERALS))
    if roll < 0.6:
        return f"{fhirpath(chance, depth + 1)}.{chance.choice(_CALLS)}"
    if roll < 0.8:
        left, right = (fhirpath(chance, depth + 1) for _ in range(2))
        return f"{left} {chance.choice(_OPERATORS)} {right}"
    if roll < 0.86:
        return f"({fhirpath(chance, depth + 1)})[{fhirpath(chance, depth + 1)}]"
    if roll < 0.9:
        return f"{fhirpath(chance, depth + 1)}.where({fhirpath(chance, depth + 1)})"
    many = chance.choice((2, 30, 400, 3000))
    return chance.choice(
        (
            "(" * many + "1" + ")" * many,
            ".children()" * many,
            "name" + ".descendants()" * min(many, 6),
            " | ".join(["name"] * many),
            "-" * many + "1",
            "not " * many,
            "(1|2|3)" + ".combine($this)" * min(many, 30),
            "'" + "a" * many,
            "`" * many,
            "\x00",
        )
    )


def filter_(chance: Random, params: Sequence[tuple[str, str]], value: str, depth: int = 0) -> str:
    """A ``_filter`` over these parameters."""
    roll = chance.random()
    if depth > 5 or roll < 0.5:
        name = chance.choice(params)[0] if chance.random() < 0.9 else "nothing.at.all"
        quoted = chance.choice((value, f'"{value}"', "true", "2024", "5", '"'))
        return f"{name} {chance.choice(_OPS)} {quoted}"
    if roll < 0.8:
        word = chance.choice(("and", "or", "AND", "xor"))
        left, right = (filter_(chance, params, value, depth + 1) for _ in range(2))
        return f"{left} {word} {right}"
    if roll < 0.95:
        return f"{chance.choice(('', 'not ', 'not'))}({filter_(chance, params, value, depth + 1)})"
    many = chance.choice((5, 100, 2000))
    one = filter_(chance, params, value, 6)
    return chance.choice(
        (
            "(" * many + one + ")" * many,
            " and ".join([one] * many),
            "not (" * many + one + ")" * many,
            "[" * many,
        )
    )


def graphql(chance: Random, types: Sequence[str], references: Sequence[str]) -> str:
    """A query document."""
    type_ = chance.choice(types)
    many = chance.choice((2, 20, 300))
    _, _, id_ = chance.choice(references).partition("/")
    fields = _selection(chance, types, 0)
    count = chance.choice((0, 1, -1, 99999999999, 50))
    return chance.choice(
        (
            f'{{ {type_}(id: "{id_}") {{ resourceType id {fields} }} }}',
            f"{{ {type_}List(_count: {count}) {{ id {fields} }} }}",
            f"{{ {type_}Connection {{ count edges {{ mode resource {{ id {fields} }} }} }} }}",
            f"query q($a: String!) {{ {type_}List(_id: $a) {{ id {fields} }} }}",
            "{ " + " ".join(f"a{n}: {type_}List {{ id }}" for n in range(many)) + " }",
            f"{{ {type_}List {{ ...f }} }} fragment f on {type_} {{ id ...f }}",
            f"{{ {type_}List {{ ...f }} }} fragment f on {type_} {{ id {fields} }}",
            "{ "
            + "PatientList { generalPractitioner { resource { " * 8
            + "id"
            + " } } }" * 8
            + " }",
            "{ " * many,
            "query { __schema { types { name fields { name args { name } } } } }",
            f"mutation {{ {type_}Create(res: {{}}) {{ id }} }}",
            f'{{ {type_}List(_filter: "x eq 1", _sort: "-x", name: ["a", "b"]) {{ id }} }}',
            "subscription { x }",
            "",
            "\x00",
        )
    )


def _selection(chance: Random, types: Sequence[str], depth: int) -> str:
    if depth > 3 or chance.random() < 0.4:
        return "id meta { lastUpdated }"
    inner = _selection(chance, types, depth + 1)
    return " ".join(
        chance.choice(
            (
                "id",
                "meta { lastUpdated versionId }",
                "status",
                "name { family given }",
                f"{chance.choice(types)}List(_reference: subject) {{ id {inner} }}",
                f"subject {{ reference resource {{ ... on Patient {{ id {inner} }} }} }}",
                "sender { resource { id } }",
                "telecom(fhirpath: \"system = 'phone'\") { value }",
                "given @first @flatten",
                "x: id @skip(if: true) @include(if: false)",
                "nothing",
            )
        )
        for _ in range(chance.choice((1, 2, 4)))
    )
