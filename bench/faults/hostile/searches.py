"""Searches, reads and histories: half of them such as clients send."""

from __future__ import annotations

from random import Random

from bench.faults.hostile import expressions, values
from bench.faults.hostile.grammar import (
    FHIR,
    JSON,
    Grammar,
    Sent,
    form_of,
    one_path,
    quoted,
    type_of,
)


def _name(grammar: Grammar, chance: Random, type_: str, depth: int = 0) -> tuple[str, str]:
    """A search parameter of a type, maybe chained or reversed, with the type of its values."""
    name, kind = chance.choice(grammar.params[type_])
    roll = chance.random()
    if depth < 7 and kind == "reference" and roll < 0.5:
        target = type_of(grammar, chance)
        rest, last = _name(grammar, chance, target, depth + 1)
        return f"{name}{chance.choice(('', f':{target}'))}.{rest}", last
    if depth < 7 and roll < 0.08:
        other = type_of(grammar, chance)
        back = chance.choice(grammar.params[other])[0]
        rest, last = _name(grammar, chance, other, depth + 1)
        return f"_has:{other}:{back}:{rest}", last
    if roll > 0.85:
        return f"{name}:{chance.choice(values.MODIFIERS)}", chance.choice((kind, "token", "string"))
    return name, kind


def _result_param(grammar: Grammar, chance: Random, type_: str) -> tuple[str, str]:
    names = [name for name, _ in grammar.params[type_]]
    word = values.odd(chance)
    number = chance.choice(("0", "1", "5", "-1", "1000", "99999999999999999999", "x", "", "1.5"))
    include = chance.choice((*grammar.includes, "*", f"{type_}:*", "x", "::", f"{type_}:x:y:z"))
    return chance.choice(
        (
            ("_count", number),
            ("_offset", number),
            (
                "_sort",
                ",".join(chance.choice(("", "-", "--")) + n for n in chance.choices(names, k=3)),
            ),
            ("_sort", word),
            ("_include", include),
            ("_include:iterate", include),
            ("_revinclude", include),
            ("_revinclude:iterate", include),
            ("_summary", chance.choice(("true", "false", "text", "data", "count", "x", ""))),
            ("_elements", chance.choice(("id", "status,subject", "x", "Patient.name", word))),
            ("_fields", chance.choice(("id", "status", word))),
            ("_total", chance.choice(("none", "estimate", "accurate", "x"))),
            ("_format", chance.choice(("json", "xml", "ttl", JSON, "text/html", word))),
            ("_pretty", chance.choice(("true", "x"))),
            ("_cursor", word),
            ("_since", values.value(chance, "date", grammar.references)),
            ("_at", values.value(chance, "date", grammar.references)),
            ("_type", chance.choice((type_, f"{type_},Patient", "Nothing", word))),
            ("_contained", chance.choice(("true", "both", "x"))),
            ("_query", "x"),
            ("_text", word),
            ("_content", word),
            ("_list", word),
            ("_has", word),
            (word, word),
        )
    )


def _usual(grammar: Grammar, chance: Random, type_: str) -> tuple[str, str]:
    """A parameter of the result that a client would send."""
    about = [one for one in grammar.includes if one.startswith(f"{type_}:")] or ["*"]
    back = [one for one in grammar.includes if one.split(":")[0] in grammar.there]
    return chance.choice(
        (
            ("_count", chance.choice(("1", "5", "1000"))),
            ("_sort", chance.choice(("_lastUpdated", "-_lastUpdated", "_id"))),
            (f"_include{chance.choice(('', ':iterate'))}", chance.choice(about)),
            ("_revinclude", chance.choice(back)),
            ("_summary", chance.choice(("true", "count", "data"))),
            ("_elements", chance.choice(("id", "status,subject"))),
            ("_total", "accurate"),
            ("_format", "json"),
        )
    )


def query_of(grammar: Grammar, chance: Random, type_: str) -> str:
    pairs: list[tuple[str, str]] = []
    # Half of the searches are such as clients send: what is odd in one hides what follows it.
    mild = chance.random() < 0.5
    for _ in range(chance.choice((0, 1, 1, 2, 3) if mild else (1, 2, 12))):
        name, kind = chance.choice(grammar.params[type_]) if mild else _name(grammar, chance, type_)
        pairs.append((name, values.value(chance, kind, grammar.references, mild=mild)))
    if mild:
        return form_of(chance, [*pairs, *(_usual(grammar, chance, type_) for _ in range(2))])
    more = chance.choice((0, 1, 2, 6))
    pairs += [_result_param(grammar, chance, type_) for _ in range(more)]
    if chance.random() < 0.2:
        one = values.value(chance, "string", grammar.references)
        pairs.append(("_filter", expressions.filter_(chance, grammar.params[type_], one)))
    if chance.random() < 0.02:
        pairs *= chance.choice((20, 200))
    return form_of(chance, pairs)


def search(grammar: Grammar, chance: Random) -> Sent:
    type_ = type_of(grammar, chance)
    query = query_of(grammar, chance, type_)
    roll = chance.random()
    if roll < 0.15:
        form = (("content-type", "application/x-www-form-urlencoded"),)
        return Sent(
            "",
            "POST",
            f"{FHIR}/{type_}/_search?{query_of(grammar, chance, type_)}",
            query.encode(),
            form,
        )
    if roll < 0.25:
        return Sent("", "GET", f"{FHIR}/{chance.choice(grammar.references)}/{type_}?{query}")
    if roll < 0.3:
        return Sent("", "GET", f"{FHIR}?{query}")
    return Sent("", "GET", f"{FHIR}/{type_}?{query}")


def read(grammar: Grammar, chance: Random) -> Sent:
    one = one_path(grammar, chance)
    tail = chance.choice(
        (
            "",
            "",
            "/_history",
            "/_history/1",
            f"/_history/{quoted(values.odd(chance))[:200]}",
            "/",
            "/x",
            "/_history/x/y",
        )
    )
    query = chance.choice(("", "", f"?{query_of(grammar, chance, 'Patient')}"))
    return Sent(
        "", chance.choice(("GET", "GET", "GET", "HEAD", "DELETE")), f"{FHIR}/{one}{tail}{query}"
    )


def history(grammar: Grammar, chance: Random) -> Sent:
    one = chance.choice(grammar.references)
    base = chance.choice((FHIR, f"{FHIR}/{type_of(grammar, chance)}", f"{FHIR}/{one}"))
    if chance.random() < 0.3:
        return Sent("", "GET", f"{base}/_history?{query_of(grammar, chance, 'Patient')}")
    moment = values.value(chance, "date", (), mild=chance.random() < 0.5).lstrip("abeglnqst")
    pairs = [
        ("_count", chance.choice(("1", "10", "1000"))),
        (chance.choice(("_since", "_at")), moment),
    ]
    return Sent("", "GET", f"{base}/_history?{form_of(chance, pairs[: chance.randint(0, 2)])}")
