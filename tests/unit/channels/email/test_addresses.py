"""Address lists, well formed and not."""

from __future__ import annotations

import pytest

from threadwell.channels.email.addresses import parse_addresses
from threadwell.messages import Address, AddressKind

ANA = ("ana@example.org", "Ana Prado")
ANA_ROOT = ("ana@example.org", "root, Ana Prado")
BEN = ("ben@example.org", "Ben Li")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["ana@example.org"], [("ana@example.org", "")]),
        (["Ana Prado <Ana@Example.ORG>"], [ANA]),
        (['"Prado, Ana" <ana@example.org>'], [("ana@example.org", "Prado, Ana")]),
        (["Prado, Ana <ana@example.org>"], [("ana@example.org", "Prado, Ana")]),
        (['"Ana \\"A\\" Prado" <ana@example.org>'], [("ana@example.org", 'Ana "A" Prado')]),
        (["ana@example.org (Ana Prado)"], [ANA]),
        (["Ana Prado ana@example.org"], [ANA]),
        (["=?utf-8?q?Jos=C3=A9?= <jose@example.org>"], [("jose@example.org", "José")]),
        (["=?utf-8?q?Prado=2C_Ana?= <ana@example.org>"], [("ana@example.org", "Prado, Ana")]),
        (['"ana@example.org" <ana@example.org>'], [("ana@example.org", "")]),
        (["Ana Prado <ana@example.org>, Ben Li <ben@example.org>"], [ANA, BEN]),
        (["Ana Prado <ana@example.org>; Ben Li <ben@example.org>;"], [ANA, BEN]),
        (["Ana Prado <ana@example.org>,, ,Ben Li <ben@example.org>"], [ANA, BEN]),
        (["Ana Prado <ana@example.org>", "Ben Li <ben@example.org>"], [ANA, BEN]),
        (["Ana Prado <ana@example.org>, ana@example.org"], [ANA]),
        (["Care team: Ana Prado <ana@example.org>, Ben Li <ben@example.org>;"], [ANA, BEN]),
        (["undisclosed-recipients:;"], []),
        (["undisclosed-recipients: ;, Ana Prado <ana@example.org>"], [ANA]),
        (["<@relay.example.net:ana@example.org>"], [("ana@example.org", "")]),
        (["mailto:ana@example.org"], [("ana@example.org", "")]),
        (["ana@bücher.example"], [("ana@xn--bcher-kva.example", "")]),
        (["ana@example.org."], [("ana@example.org", "")]),
        (
            ["root, Ana Prado <ana@example.org>, ben@example.org"],
            [ANA_ROOT, ("ben@example.org", "")],
        ),
        (["root"], [("email:root", "")]),
        (["Front desk <desk>"], [("email:desk", "Front desk")]),
        (["<>"], []),
        (["Only A Name"], []),
        ([""], []),
        (["<ana@example.org"], [("ana@example.org", "")]),
    ],
)
def test_parse_addresses(values: list[str], expected: list[tuple[str, str]]) -> None:
    assert parse_addresses(values) == tuple(
        Address(
            AddressKind.OTHER if value.startswith("email:") else AddressKind.EMAIL, value, display
        )
        for value, display in expected
    )
