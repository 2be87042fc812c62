"""Queries as people write them, and what they ask for."""

from dataclasses import replace
from decimal import Decimal

import pytest

from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search.parse import MAX_ALTERNATIVES, MAX_FILTERS, MAX_LOOKED_UP, parse_query
from threadwell.fhir.search.query import (
    ChainFilter,
    CompositeFilter,
    DateFilter,
    HasFilter,
    IdentifierFilter,
    IdFilter,
    MissingFilter,
    NumberFilter,
    QuantityFilter,
    Query,
    ReferenceFilter,
    StringFilter,
    TextFilter,
    TokenFilter,
    UriFilter,
)
from threadwell.fhir.search.sought import (
    DateMatch,
    NumberMatch,
    Prefix,
    QuantityMatch,
    ReferenceMatch,
    StringMode,
    TokenMatch,
    UriMode,
)

BASE = "https://fhir.example.org/fhir/R4"


VR = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


DAY = 86_400_000_000


def token(param, *pairs, negate=False):
    return TokenFilter(param, tuple(TokenMatch(*pair) for pair in pairs), negate)


def reference(param, *triples, negate=False):
    return ReferenceFilter(param, tuple(ReferenceMatch(*triple) for triple in triples), negate)


def named(param, *triples):
    return replace(reference(param, *triples), named=True)


def number(prefix, *numbers):
    return (prefix, *(Decimal(n) for n in numbers))


# The type, name=value (or several, joined by &, as decoded) and the filters expected.
FILTERS = [
    # token
    ("Communication", "status=completed", token("status", (None, "completed"))),
    ("Encounter", f"class={VR}|VR", token("class", (VR, "VR"))),
    ("Encounter", "class=|VR", token("class", ("", "VR"))),
    ("Encounter", f"class={VR}|", token("class", (VR, None))),
    (
        "Communication",
        "status:not=completed,entered-in-error",
        token("status", (None, "completed"), (None, "entered-in-error"), negate=True),
    ),
    ("Communication", r"identifier=a\,b\|c\$d\\e", token("identifier", (None, r"a,b|c$d\e"))),
    ("Communication", r"identifier=urn:a\|b|c", token("identifier", ("urn:a|b", "c"))),
    ("Communication", "identifier=urn:a|b|c", token("identifier", ("urn:a", "b|c"))),
    ("Communication", "category:text=lab,Note", TextFilter("category", ("lab", "Note"))),
    ("Patient", "active=true", token("active", (None, "true"))),
    ("Patient", "active=http://hl7.org/fhir/special-values|true", token("active", ("", "true"))),
    (
        "Communication",
        "status=http://hl7.org/fhir/event-status|completed",
        token("status", ("", "completed")),
    ),
    ("Communication", "status=urn:other|completed", token("status", ("urn:other", "completed"))),
    (
        "Communication",
        "status=http://hl7.org/fhir/event-status|",
        token("status", ("", None)),
    ),
    # the plus of a phone number, as it is and as a form decoder leaves it
    ("Patient", "phone=+15550100123", token("phone", (None, "+15550100123"))),
    ("Patient", "phone= 15550100123", token("phone", (None, "+15550100123"))),
    ("Patient", "phone=+1 (555) 010-0123", token("phone", (None, "+15550100123"))),
    ("Patient", "telecom=phone| 15550100123", token("telecom", ("phone", "+15550100123"))),
    ("Patient", "email=Ana@Example.org", token("email", (None, "ana@example.org"))),
    ("Patient", "identifier=555-0100", token("identifier", (None, "555-0100"))),
    # reference
    ("Communication", "subject=Patient/p", reference("subject", ("Patient", "p", ""))),
    ("Communication", "subject=p", reference("subject", ("", "p", ""))),
    ("Communication", "subject:Patient=p", reference("subject", ("Patient", "p", ""))),
    ("Communication", "subject:Patient=Patient/p", reference("subject", ("Patient", "p", ""))),
    ("Communication", "patient=p", reference("patient", ("Patient", "p", ""))),
    ("Communication", "patient=Patient/p", reference("patient", ("Patient", "p", ""))),
    ("Communication", "part-of=h", reference("part-of", ("", "h", ""))),
    ("Encounter", "part-of=e", reference("part-of", ("Encounter", "e", ""))),
    ("Communication", f"subject={BASE}/Patient/p", reference("subject", ("Patient", "p", ""))),
    (
        "Communication",
        "subject=https://other.example.org/Patient/p",
        reference("subject", ("", "", "https://other.example.org/Patient/p")),
    ),
    ("Communication", "subject=urn:uuid:1", reference("subject", ("", "", "urn:uuid:1"))),
    (
        "Communication",
        "subject:not=Patient/p,q",
        reference("subject", ("Patient", "p", ""), ("", "q", ""), negate=True),
    ),
    (
        "Communication",
        "subject:identifier=urn:mrn|7",
        IdentifierFilter("subject", (TokenMatch("urn:mrn", "7"),)),
    ),
    (
        "Communication",
        "instantiates-canonical=http://example.org/p|1",
        named("instantiates-canonical", ("", "", "http://example.org/p|1")),
    ),
    (
        "Communication",
        "instantiates-canonical=http://example.org/p",
        named("instantiates-canonical", ("", "", "http://example.org/p")),
    ),
    (
        "QuestionnaireResponse",
        "questionnaire=Questionnaire/q,q,Questionnaire/q|2,"
        "https://FHIR.example.org:443/fhir/R4/Questionnaire/q",
        named("questionnaire", *[("Questionnaire", "q", "")] * 4),
    ),
    (
        "Communication",
        "subject=https://other.example.org/fhir/Patient/1/_history/2",
        reference("subject", ("", "", "https://other.example.org/fhir/Patient/1")),
    ),
    # string and uri
    ("Patient", r"name=Prado,de\,la", StringFilter("name", ("Prado", "de,la"))),
    ("Patient", "name:exact=Prado", StringFilter("name", ("Prado",), StringMode.EXACT)),
    ("Patient", "name:contains=rad", StringFilter("name", ("rad",), StringMode.CONTAINS)),
    ("ValueSet", "url=urn:a", UriFilter("url", ("urn:a",))),
    ("ValueSet", "url:below=urn:a", UriFilter("url", ("urn:a",), UriMode.BELOW)),
    ("ValueSet", "url:above=urn:a", UriFilter("url", ("urn:a",), UriMode.ABOVE)),
    ("Patient", "_profile=urn:p", UriFilter("_profile", ("urn:p",))),
    ("Patient", "_source=urn:s", UriFilter("_source", ("urn:s",))),
    # date, number, quantity
    ("Communication", "sent=1970", DateFilter("sent", (DateMatch(Prefix.EQ, 0, 365 * DAY),))),
    (
        "Communication",
        "sent=ge1970-01-01,lt1970-01-02",
        DateFilter("sent", (DateMatch(Prefix.GE, 0, DAY), DateMatch(Prefix.LT, DAY, 2 * DAY))),
    ),
    (
        "Communication",
        "sent=1970-01-01T02:00:00 02:00",
        DateFilter("sent", (DateMatch(Prefix.EQ, 0, 1_000_000),)),
    ),
    (
        "Communication",
        "sent=ap1970-01-01",
        DateFilter("sent", (DateMatch(Prefix.AP, -DAY, 2 * DAY),)),
    ),
    (
        "Patient",
        "_lastUpdated=gt1970-01-01",
        DateFilter("_lastUpdated", (DateMatch(Prefix.GT, 0, DAY),)),
    ),
    (
        "ChargeItem",
        "factor-override=ne1.0",
        NumberFilter(
            "factor-override", (NumberMatch(*number(Prefix.NE, "1.0", "0.95", "1.05")),)
        ),
    ),
    (
        "ChargeItem",
        "factor-override=ap-200",
        NumberFilter("factor-override", (NumberMatch(*number(Prefix.AP, -200, -220, -180)),)),
    ),
    (
        "Observation",
        "value-quantity=le5|http://unitsofmeasure.org|mg",
        QuantityFilter(
            "value-quantity",
            (
                QuantityMatch(
                    *number(Prefix.LE, "5", "4.5", "5.5"), "http://unitsofmeasure.org", "mg"
                ),
            ),
        ),
    ),
    (
        "Observation",
        "value-quantity=5||mg",
        QuantityFilter(
            "value-quantity", (QuantityMatch(*number(Prefix.EQ, "5", "4.5", "5.5"), None, "mg"),)
        ),
    ),
    # composite
    (
        "Observation",
        "code-value-quantity=urn:l|1$gt5,2$6",
        CompositeFilter(
            "code-value-quantity",
            (
                (
                    token("", ("urn:l", "1")),
                    QuantityFilter(
                        "", (QuantityMatch(*number(Prefix.GT, "5", "4.5", "5.5"), None, None),)
                    ),
                ),
                (
                    token("", (None, "2")),
                    QuantityFilter(
                        "", (QuantityMatch(*number(Prefix.EQ, "6", "5.5", "6.5"), None, None),)
                    ),
                ),
            ),
        ),
    ),
    # missing and id
    ("Communication", "part-of:missing=true", MissingFilter("part-of", True)),
    ("Communication", "sent:missing=false", MissingFilter("sent", False)),
    ("Patient", "_id=a,b", IdFilter(("a", "b"))),
    ("Patient", "_id:not=a", IdFilter(("a",), negate=True)),
    # chains
    (
        "Communication",
        "subject:Patient.name:exact=Prado",
        ChainFilter(
            "subject", ("Patient",), (StringFilter("name", ("Prado",), StringMode.EXACT),)
        ),
    ),
    (
        "Communication",
        "subject.identifier=7",
        ChainFilter("subject", ("Patient", "Group"), (token("identifier", (None, "7")),) * 2),
    ),
    (
        "Communication",
        "subject.birthdate=1970",
        ChainFilter(
            "subject",
            ("Patient",),
            (DateFilter("birthdate", (DateMatch(Prefix.EQ, 0, 365 * DAY),)),),
        ),
    ),
    (
        "Communication",
        "encounter.part-of.status=finished",
        ChainFilter(
            "encounter",
            ("Encounter",),
            (ChainFilter("part-of", ("Encounter",), (token("status", (None, "finished")),)),),
        ),
    ),
    (
        "Communication",
        "encounter._id=e",
        ChainFilter("encounter", ("Encounter",), (IdFilter(("e",)),)),
    ),
    (
        "Patient",
        "_has:Communication:subject:status:not=completed",
        HasFilter("Communication", "subject", token("status", (None, "completed"), negate=True)),
    ),
    (
        "Patient",
        "_has:Encounter:patient:_has:Communication:encounter:part-of:missing=true",
        HasFilter(
            "Encounter",
            "patient",
            HasFilter("Communication", "encounter", MissingFilter("part-of", True)),
        ),
    ),
    (
        "Communication",
        "subject:Patient._has:Encounter:patient:status=finished",
        ChainFilter(
            "subject",
            ("Patient",),
            (HasFilter("Encounter", "patient", token("status", (None, "finished"))),),
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "text", "expected"), FILTERS, ids=[f[1] for f in FILTERS])
def test_filters(type_, text, expected):
    name, _, value = text.partition("=")
    query = parse_query(
        type_, [(name, value)], bases=frozenset({BASE}), now=lambda: 11 * DAY // 1000
    )
    assert query == Query(type_, (expected,))


@pytest.mark.parametrize(
    "name",
    [
        *("family", "given:contains", "gender:text", "birthdate", "general-practitioner.name"),
        "_has:Observation:subject:value-quantity",
    ],
)
def test_what_is_compared_one_by_one_is_not_compared_with_thousands(name):
    half = ",".join(["1990"] * (MAX_ALTERNATIVES // 2))
    assert parse_query("Patient", [(name, half), (name, half)])
    with pytest.raises(FhirError, match="at most 500 alternatives"):
        parse_query("Patient", [(name, half), (name, half), ("_id", "a,b")])


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("_id", 1),
        ("_id:not", 1),
        ("identifier", 1),
        ("subject:Patient", 1),
        ("subject:identifier", 1),
        ("_has:Provenance:target:agent:Patient", 1),
        ("subject:Patient.identifier", 1),
        # Looked up in each of the types that a subject may have, and a part.
        ("subject", 2),
        ("subject.identifier", 2),
        ("part-of", 145),
    ],
)
def test_what_is_looked_up_has_a_limit_too(name: str, times: int) -> None:
    most = MAX_LOOKED_UP // times
    parse_query("Communication", [(name, ",".join(["1"] * most))])
    for params in ([(name, ",".join(["1"] * (most + 1)))], [(name, ",".join(["1"] * most))] * 2):
        with pytest.raises(FhirError, match="at most 10,000 tokens, references and ids"):
            parse_query("Communication", params)


def test_a_list_of_ids_or_tokens_may_be_long():
    values = ",".join(str(number) for number in range(5000))
    query = parse_query("Patient", [("_id", values), ("identifier", values)])
    assert [len(query.filters[0].ids), len(query.filters[1].matches)] == [5000, 5000]


def test_a_search_has_not_thousands_of_filters():
    assert parse_query("Patient", [("active", "true")] * MAX_FILTERS)
    with pytest.raises(FhirError, match="at most 100 filters"):
        parse_query("Patient", [("active", "true")] * (MAX_FILTERS + 1))


def test_an_accent_alone_does_not_begin_every_name():
    with pytest.raises(FhirError, match="family: expected"):
        parse_query("Patient", [("family", "\u0301")])
    assert parse_query("Patient", [("family:exact", "\u0301")])


def test_repeated_parameters_are_all_asked_for():
    query = parse_query("Communication", [("sent", "ge1970"), ("sent", "lt1971")])
    assert [filter_.matches[0].prefix for filter_ in query.filters] == [Prefix.GE, Prefix.LT]
