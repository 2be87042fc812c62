"""Phone numbers and mail addresses as people write them."""

import pytest

from threadwell.messages import Address, AddressKind, parse_email, parse_phone


@pytest.mark.parametrize(
    ("written", "country", "value"),
    [
        ("+1 (555) 123-0100", "US", "+15551230100"),
        ("555-123-0100", "US", "+15551230100"),
        ("5551230100", "US", "+15551230100"),
        ("tel:+1-555-123-0100", "US", "+15551230100"),
        ("+1 555 123 0100 ext. 5", "US", "+15551230100"),
        ("\u202a+1\u00a0555\u2011123\u20110100\u202c", "US", "+15551230100"),
        ("0044 7700 900123", "US", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("٠٠٤٤٧٧٠٠٩٠٠١٢٣", "US", "+447700900123"),
        ("+12 345 578", "US", "+12345578"),
        ("24365", "US", "24365"),
        ("555-0100", "US", "5550100"),
    ],
)
def test_a_phone_is_e164_wherever_its_digits_tell(written: str, country: str, value: str) -> None:
    assert parse_phone(written, country) == Address(AddressKind.PHONE, value)


@pytest.mark.parametrize(
    "written",
    ["", "+", "-1", "12", "HealthPlan", "1-800-CLINIC", "ana@example.org", "+1" + "0" * 20],
)
def test_what_is_no_phone_is_none(written: str) -> None:
    assert parse_phone(written, "US") is None


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
