"""Folding: what people take for the same name is the same text."""

import pytest

from threadwell.fhir.search.fold import contact_code, fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Prado", "prado"),
        ("MÜLLER", "muller"),
        ("Straße", "strasse"),
        ("Łukasz Sørensen", "lukasz sorensen"),
        ("José", "jose"),
        ("Jose\u0301", "jose"),
        ("İpek", "ipek"),
        ("ﬁne", "fine"),
        ("山田", "山田"),
        ("", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("+1 (555) 010-0123", "+15550100123"),
        ("555.010.0123", "5550100123"),
        ("555\u2011010\u20110123", "5550100123"),
        ("+15550100123", "+15550100123"),
        ("Ana.Prado@Example.org", "ana.prado@example.org"),
        ("555-0100 ext. 5", "555-0100 ext. 5"),
        ("https://example.org/a-b", "https://example.org/a-b"),
        ("()", "()"),
        ("", ""),
    ],
)
def test_contact_code(value, code):
    assert contact_code(value) == code
