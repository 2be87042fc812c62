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
