"""Folding: what people take for the same name is the same text."""

import pytest

from threadwell.fhir.search.fold import contact_code, fold, searched, searched_forms


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
    ("text", "found_as"),
    [
        ("Prado", "prado"),
        ("O'Dell", "odell"),
        ("O\u2019Dell", "odell"),
        ("O\u02bcDell", "odell"),
        ("O\u00b4Dell", "odell"),
        ("Zoe  Ann", "zoe ann"),
        (" Zoe\tAnn ", "zoe ann"),
        ("Zoë\u00a0Ann", "zoe ann"),
        ("Dr. Sol, Jr.", "dr sol jr"),
        ("Sol-Prado", "solprado"),
        ("1/2 Elm St.", "12 elm st"),
        ("山田・太郎", "山田太郎"),
        ("$5+", "$5+"),
        ("\u2014 . -", ""),
        ("", ""),
    ],
)
def test_searched(text, found_as):
    assert searched(text) == found_as
    assert searched(found_as) == found_as


@pytest.mark.parametrize(
    ("text", "parted", "forms"),
    [
        ("Prado", True, ["prado"]),
        ("Prado Sol", False, ["prado sol"]),
        ("Prado Sol", True, ["prado sol", "sol"]),
        ("Prado  Sol", True, ["prado sol", "sol"]),
        ("Prado-Sol", False, ["pradosol", "prado sol"]),
        ("Prado-Sol", True, ["pradosol", "prado sol", "sol"]),
        ("de la O'Dell", True, ["de la odell", "la odell", "odell"]),
        ("-", True, [""]),
    ],
)
def test_the_forms_that_a_text_is_found_by(text, parted, forms):
    assert list(searched_forms(text, parted=parted)) == forms


def test_a_name_without_end_has_few_parts():
    forms = searched_forms("ab " * 100_000, parted=True)
    assert sum(map(len, forms)) < 310_000


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("+1 (555) 010-0123", "+15550100123"),
        ("555.010.0123", "5550100123"),
        ("555\u2011010\u20110123", "5550100123"),
        ("+15550100123", "+15550100123"),
        ("Ana.Prado@Example.org", "ana.prado@example.org"),
        ("555-0100 ext. 5", "5550100"),
        ("(+1) 555 010 0123", "+15550100123"),
        ("\u202a+1\u00a0555\u2011010\u20110123\u202c", "+15550100123"),
        ("１５５５０１００１２３", "15550100123"),
        ("tel:+1-555-010-0123;ext=5", "+15550100123"),
        ("whatsapp:+15550100123", "+15550100123"),
        ("sip:+15550100123@ims.example.org;user=phone", "+15550100123"),
        ("+15550100123/TYPE=PLMN", "+15550100123"),
        ("whatsapp:Ana Prado", "whatsapp:Ana Prado"),
        ("15550100123@sms.example.org", "15550100123@sms.example.org"),
        ("sip:Ana@example.org", "sip:ana@example.org"),
        ("https://example.org/a-b", "https://example.org/a-b"),
        ("()", "()"),
        ("", ""),
    ],
)
def test_contact_code(value, code):
    assert contact_code(value) == code
