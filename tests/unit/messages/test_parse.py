"""Mail addresses, and addresses of either kind, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.messages import Address, AddressKind, email_spellings, parse_address, parse_email


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("tel:+1-555-123-0100", ("phone", "+15551230100")),
        ("Ana <Ana@example.org>", ("email", "ana@example.org")),
        ("sip:+15551230100@ims.example.org", ("phone", "+15551230100")),
        ("whatsapp:Ana", None),
    ],
)
def test_an_address_is_a_phone_or_a_mailbox(written: str, key: tuple[str, str] | None) -> None:
    address = parse_address(written, "US")
    assert (address and address.key) == key


@pytest.mark.parametrize(
    ("written", "value", "display"),
    [
        ("Ana@Example.ORG", "ana@example.org", ""),
        (" mailto:ana@example.org ", "ana@example.org", ""),
        ("ana@example.org/TYPE=EMAIL", "ana@example.org", ""),
        ("Ana Prado <Ana@example.org>", "ana@example.org", "Ana Prado"),
        ('"Prado, Ana" <ana@example.org>', "ana@example.org", "Prado, Ana"),
        ("ana@example.org (Ana Prado)", "ana@example.org", "Ana Prado"),
        ("'ana@example.org'", "ana@example.org", ""),
        ("'ana@example.org", "ana@example.org", ""),
        ('"ana@example.org"', "ana@example.org", ""),
        ("\u2018ana@example.org\u2019", "ana@example.org", ""),
        ("o'neil@example.org", "o'neil@example.org", ""),
        ("<'ana@example.org'>", "ana@example.org", ""),
        ("Ana Prado <'ana@example.org'>", "ana@example.org", "Ana Prado"),
        ("Ana Prado <mailto:ana@example.org>", "ana@example.org", "Ana Prado"),
        ("MAILTO:ana%2Bx@example.org?subject=Hi", "ana+x@example.org", ""),
        ("ana@example.org.", "ana@example.org", ""),
        ("uta@münchen.example", "uta@xn--mnchen-3ya.example", ""),
        ("uta@mu\u0308nchen.example", "uta@xn--mnchen-3ya.example", ""),
        ("uta@MÜNCHEN.example", "uta@xn--mnchen-3ya.example", ""),
        ("uta@XN--Mnchen-3ya.example", "uta@xn--mnchen-3ya.example", ""),
        ("uta@münchen\u3002example", "uta@xn--mnchen-3ya.example", ""),
        ("uta@straße.example", "uta@xn--strae-oqa.example", ""),
        ("uta@xn--.example", "uta@xn--.example", ""),
        ("Mu\u0308ller@example.org", "müller@example.org", ""),
    ],
)
def test_a_mail_address_is_lower_case(written: str, value: str, display: str) -> None:
    assert parse_email(written) == Address(AddressKind.EMAIL, value, display)


@given(st.text(max_size=12), st.text(max_size=12))
def test_the_normal_form_is_its_own_normal_form(local: str, domain: str) -> None:
    found = parse_email(f"{local}@{domain}")
    if found is not None:
        again = parse_email(found.value)
        assert again == found._replace(display="")


def test_both_spellings_of_an_international_domain() -> None:
    ascii_form = "uta@mail.xn--mnchen-3ya.example"
    assert email_spellings(ascii_form) == (ascii_form, "uta@mail.münchen.example")
    assert email_spellings("ana@example.org") == ("ana@example.org",)


@pytest.mark.parametrize(
    "written", ["", "ana", "ana@", "@example.org", "a@b@c", "a b@c d", "a@.", "a@\u3002"]
)
def test_what_is_no_mail_address_is_none(written: str) -> None:
    assert parse_email(written) is None
