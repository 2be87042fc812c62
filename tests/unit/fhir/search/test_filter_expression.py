"""``_filter``: what cannot be understood is refused, and the refusal says where and why."""

from __future__ import annotations

import pytest

from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search.filter_grammar import MAX_NESTED, MAX_TERMS, MAX_TEXT
from threadwell.fhir.search.parse import MAX_FILTERS, parse_query
from threadwell.fhir.search.query import AllFilter, ReferenceFilter, TokenFilter


@pytest.mark.parametrize(
    ("type_", "text", "code", "told"),
    [
        ("Patient", "", "invalid", "character 1"),
        ("Patient", "gender", "invalid", "an operator"),
        ("Patient", "gender is male", "invalid", "character 8"),
        ("Patient", "gender eq", "invalid", "a value"),
        ("Patient", "gender eq male and", "invalid", "a search parameter"),
        ("Patient", "gender eq male gender eq male", "invalid", "and, or"),
        ("Patient", "(gender eq male", "invalid", "expected )"),
        ("Patient", "gender eq male)", "invalid", "and, or"),
        ("Patient", 'name eq "open', "invalid", "a value"),
        ("Patient", 'name eq "\\x"', "invalid", "JSON"),
        ("Patient", "organization[name pr true] pr true", "invalid", "a dot"),
        ("Patient", "shoe eq 5", "invalid", "Unknown search parameter: shoe"),
        ("Patient", "gender.name eq 5", "invalid", "not a reference"),
        ("Patient", "organization.shoe eq 5", "invalid", "organization.shoe"),
        ("Patient", "organization:Patient.name eq 5", "invalid", "does not refer"),
        ("Patient", "birthdate eq ge2000", "invalid", "expected a date"),
        ("Patient", "birthdate eq tomorrow", "invalid", "expected a date"),
        ("Patient", "birthdate co 2000", "not-supported", "operator co"),
        ("Patient", "gender gt male", "not-supported", "operator gt"),
        ("Patient", "gender ss male", "not-supported", "operator ss"),
        ("Patient", "gender in http://example.org/none", "not-supported", "value set"),
        ("Patient", "_id co 5", "not-supported", "operator co"),
        ("Patient", "organization gt 5", "not-supported", "operator gt"),
        ("Patient", "gender pr maybe", "invalid", "true or false"),
        ("Patient", 'name co "..."', "invalid", "punctuation"),
        ("Observation", "code-value-quantity eq 5$6", "not-supported", "operator eq"),
        ("Patient", "x" * (MAX_TEXT + 1), "too-costly", "characters"),
        ("Patient", "(" * (MAX_NESTED + 2), "too-costly", "levels"),
        ("Patient", "(" * 10_000, "too-costly", "levels"),
        ("Patient", "not(" * 1_000, "too-costly", "levels"),
        ("Patient", " or ".join(["gender eq male"] * (MAX_TERMS + 1)), "too-costly", "comparisons"),
        # A chain is no longer, and no wider, than that of another parameter.
        ("Encounter", "part-of." * 9 + "status eq planned", "invalid", "more than 8 links"),
        ("Observation", "focus.subject.identifier eq 1", "invalid", "too many types"),
    ],
)
def test_what_is_refused(type_: str, text: str, code: str, told: str) -> None:
    with pytest.raises(FhirError) as refused:
        parse_query(type_, [("_filter", text)])
    assert refused.value.status == 400
    (issue,) = refused.value.issues
    assert issue.code == code
    assert told in issue.text
    assert "male" not in issue.text


def test_what_must_hold_together_is_several_filters() -> None:
    """So that a store may begin with any of them."""
    text = "gender eq male and organization re Organization/1 and (active eq true and name pr true)"
    query = parse_query("Patient", [("_filter", text), ("birthdate", "2000")])
    kinds = [type(one) for one in query.filters[:3]]
    assert kinds == [TokenFilter, ReferenceFilter, TokenFilter]
    assert len(query.filters) == 5
    assert not any(isinstance(one, AllFilter) for one in query.filters)


def test_all_expressions_of_a_search_are_counted() -> None:
    text = " and ".join(["gender eq male"] * MAX_TERMS)
    assert len(parse_query("Patient", [("_filter", text)]).filters) == MAX_FILTERS
    with pytest.raises(FhirError, match="at most 100 filters"):
        parse_query("Patient", [("_filter", text), ("_filter", "gender eq male")])
    wide = " or ".join(["name co x"] * MAX_TERMS)
    with pytest.raises(FhirError, match="alternatives"):
        parse_query("Patient", [("_filter", wide)] * 6)
