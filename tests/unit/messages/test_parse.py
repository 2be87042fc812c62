"""Mail addresses, and addresses of either kind, as people write them."""

import pytest

from threadwell.messages import Address, AddressKind, parse_address, parse_email


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
        ("Ana Prado <Ana@example.org>", "ana@example.org", "Ana Prado"),
        ('"Prado, Ana" <ana@example.org>', "ana@example.org", "Prado, Ana"),
    ],
)
def test_a_mail_address_is_lower_case(written: str, value: str, display: str) -> None:
    assert parse_email(written) == Address(AddressKind.EMAIL, value, display)


@pytest.mark.parametrize("written", ["", "ana", "ana@", "@example.org", "a@b@c", "a b@c d"])
def test_what_is_no_mail_address_is_none(written: str) -> None:
    assert parse_email(written) is None
