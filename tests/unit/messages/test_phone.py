"""Phone numbers as people, networks and spreadsheets write them."""

from __future__ import annotations

import pytest

from threadwell.messages import Address, AddressKind, parse_phone, spellings

HERE = "+15551230100"


@pytest.mark.parametrize(
    ("written", "country", "value"),
    [
        ("+1 (555) 123-0100", "US", HERE),
        ("555-123-0100", "US", HERE),
        ("5551230100", "US", HERE),
        ("1 555 123 0100", "CA", HERE),
        ("(+1) 555 123 0100", "GB", HERE),
        ("0044 7700 900123", "US", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("+44 (0)7700 900123", "US", "+447700900123"),
        ("+12 345 578", "US", "+12345578"),
        ("24365", "US", "24365"),
        ("555-0100", "US", "5550100"),
        # As foreign numbers are dialled where the practice is.
        ("011 44 7700 900123", "US", "+447700900123"),
        ("0011 44 7700 900123", "AU", "+447700900123"),
        ("010 44 7700 900123", "JP", "+447700900123"),
        ("0044 7700 900123", "JP", "+447700900123"),
        ("8 10 44 7700 900123", "RU", "+447700900123"),
        ("00 15 44 7700 900123", "BR", "+447700900123"),
        ("+00 44 7700 900123", "US", "+447700900123"),
        # The plus was lost.
        ("15551230100", "US", HERE),
        ("447700900123", "US", "+447700900123"),
        # Plans that have, or had, two forms.
        ("+52 1 55 1234 5678", "US", "+525512345678"),
        ("+52 55 1234 5678", "US", "+525512345678"),
        ("045 55 1234 5678", "MX", "+525512345678"),
        ("01 55 1234 5678", "MX", "+525512345678"),
        ("+55 11 8765-4321", "US", "+5511987654321"),
        ("(11) 98765-4321", "BR", "+5511987654321"),
        ("(11) 3265-4321", "BR", "+551132654321"),
        ("+229 97 12 34 56", "US", "+2290197123456"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        # Other characters.
        ("\u202a+1\u00a0555\u2011123\u20110100\u202c", "US", HERE),
        ("\u200e+1\u202f555\u2007123\u22120100", "US", HERE),
        ("１５５５１２３０１００", "US", HERE),
        ("＋１（５５５）１２３ー０１００".replace("ー", "－"), "US", HERE),
        ("٠٠٤٤٧٧٠٠٩٠٠١٢٣", "US", "+447700900123"),
        ("+\u0967 \u096b\u096b\u096b 123 0100", "US", HERE),
        # What stands around it.
        ("tel:+1-555-123-0100", "US", HERE),
        ("tel:+1-555-123-0100;ext=22", "GB", HERE),
        ("tel:1230100;phone-context=+1555", "GB", HERE),
        ("tel:5551230100;phone-context=example.org", "US", HERE),
        ("tel:%2B15551230100", "GB", HERE),
        ("sms:+15551230100?body=hello", "GB", HERE),
        ("sip:+15551230100@ims.example.org;user=phone", "GB", HERE),
        ("sip:1230100;phone-context=+1555@ims.example.org", "GB", HERE),
        ("whatsapp:+15551230100", "GB", HERE),
        ("WhatsApp:+1 555-123-0100", "GB", HERE),
        ("rcs:+15551230100", "GB", HERE),
        ("+15551230100/TYPE=PLMN", "GB", HERE),
        ("+15551230100/type=plmn@mmsc.example.org", "GB", HERE),
        ("15551230100@s.whatsapp.net", "GB", HERE),
        ("15551230100:12@s.whatsapp.net", "GB", HERE),
        ("15551230100@c.us", "US", HERE),
        ("555-123-0100 (cell)", "US", HERE),
        ("+1 555 123 0100 (work, mornings)", "GB", HERE),
        ("Cell: 555-123-0100", "US", HERE),
        ("tel. +1 555 123 0100", "GB", HERE),
        ("Mobile (555) 123-0100", "US", HERE),
        ("5215512345678", "MX", "+525512345678"),
        ("+1 555 123 0100 ext. 5", "US", HERE),
        ("+1 555 123 0100 x5", "US", HERE),
        ("+1 555 123 0100 #51", "US", HERE),
        ("+1 555 123 0100,,5", "US", HERE),
        ("+1 555 123 0100 Extension: 5", "US", HERE),
        # Out of a spreadsheet, with every digit.
        ("15551230100.0", "US", HERE),
        ("1.55512301E+10", "US", None),
        ("1.5551230100E+10", "US", HERE),
        ("1,5551230100E+10", "US", HERE),
        ("15,551,230,100", "US", HERE),
        ("'+15551230100", "US", HERE),
        ('="+15551230100"', "US", HERE),
        ("=+15551230100", "US", HERE),
    ],
)
def test_a_phone_is_e164_wherever_its_digits_tell(
    written: str, country: str, value: str | None
) -> None:
    assert parse_phone(written, country) == (value and Address(AddressKind.PHONE, value))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "+",
        "-1",
        "12",
        "HealthPlan",
        "1-800-CLINIC",
        "ana@example.org",
        "sip:ana@example.org",
        "whatsapp:Ana Prado",
        "555 123 0100; 555 123 0101",
        "555 123 0100, 555 123 0101",
        "+1" + "0" * 20,
        "1.55512E+10",
        "-5557",
        "########",
        "+1 555 123 0100 or at work",
        "9" * 600,
    ],
)
def test_what_is_no_phone_is_none(written: str) -> None:
    assert parse_phone(written, "US") is None


def test_both_forms_that_are_in_use_in_argentina_are_one_address() -> None:
    with_nine, without = (parse_phone(n, "US") for n in ("+5491123456789", "+541123456789"))
    assert with_nine is not None
    assert without is not None
    assert with_nine.key == without.key
    assert with_nine.value == "+5491123456789"


@pytest.mark.parametrize(
    ("value", "country", "among"),
    [
        (HERE, "US", {HERE, "15551230100", "5551230100", "0015551230100"}),
        ("+447700900123", "US", {"07700900123", "011447700900123"}),
        ("+525512345678", "US", {"+5215512345678", "5215512345678"}),
        ("+5511987654321", "BR", {"+551187654321", "1187654321"}),
        ("+5491123456789", "AR", {"+541123456789", "0111523456789"}),
        ("+541123456789", "AR", {"+5491123456789"}),
        ("+2290197123456", "US", {"+22997123456"}),
        ("24365", "US", {"24365"}),
    ],
)
def test_a_number_is_looked_for_however_it_may_be_written(
    value: str, country: str, among: set[str]
) -> None:
    assert among <= spellings(value, country)
