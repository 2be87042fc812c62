"""Address lists, well formed and not."""

from __future__ import annotations

import pytest

from threadwell.channels.email.addresses import parse_addresses
from threadwell.messages import Address, AddressKind

ANA = ("ana@example.org", "Ana Prado")
ANA_ROOT = ("ana@example.org", "root, Ana Prado")
BEN = ("ben@example.org", "Ben Li")
LOOSE = [("ana@example.org", ""), ("ben@example.org", "")]
KINDS = {"+": AddressKind.PHONE}
UTA = ("uta@xn--mnchen-3ya.example", "Uta")


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
        (["<'ana@example.org'>"], [("ana@example.org", "")]),
        (["\"'ana@example.org'\" <'ana@example.org'>"], [("ana@example.org", "")]),
        (["'ana@example.org'"], [("ana@example.org", "")]),
        (["'Ana Prado' <ana@example.org>"], [ANA]),
        (["<<ana@example.org>>"], [("ana@example.org", "")]),
        (["Ana Prado <<ana@example.org>>"], [ANA]),
        (["ana@example.org<mailto:ana@example.org>"], [("ana@example.org", "")]),
        (["Ana Prado <MAILTO:ana@example.org>"], [ANA]),
        (["ana@example.org <Ana Prado>"], [ANA]),
        (["ana@example.org ben@example.org"], [("ana@example.org", ""), ("ben@example.org", "")]),
        (["ana @ example.org"], [("ana@example.org", "")]),
        (["ana(at (our) desk)@example.org"], [("ana@example.org", "at (our) desk")]),
        (["Ana Prado (home (new)) <ana@example.org>"], [ANA]),
        (["(unclosed Ana <ana@example.org>"], [("ana@example.org", "(unclosed Ana")]),
        (['"unclosed <ana@example.org>'], [("ana@example.org", "unclosed")]),
        (["<@a.example,@b.example:ana@example.org>"], [("ana@example.org", "")]),
        (["Team:ana@example.org, ben@example.org;, root"], [*LOOSE, ("email:root", "")]),
        (["A:ana@example.org;B:ben@example.org;"], LOOSE),
        (['"ana"@example.org'], [("ana@example.org", "")]),
        (['"ana prado"@example.org'], [("email:ana prado@example.org", "")]),
        (['"a@b" <"ana@home"@example.org>'], [("email:ana@home@example.org", "a@b")]),
        (["ana@[192.0.2.1]"], [("email:ana@[192.0.2.1]", "")]),
        (["+12075550111/TYPE=PLMN@mms.example.net"], [("+12075550111", "")]),
        (["Ana <+12075550111/type=plmn@mms.example.net>"], [("+12075550111", "Ana")]),
        (["2075550111/TYPE=PLMN@mms.example.net"], [("2075550111/type=plmn@mms.example.net", "")]),
        (["uta@münchen.example"], [("uta@xn--mnchen-3ya.example", "")]),
        (["Uta <uta@xn--mnchen-3ya.example>"], [("uta@xn--mnchen-3ya.example", "Uta")]),
        (["=?utf-8?q?Uta_=3Cuta=40m=C3=BCnchen=2Eexample=3E?="], [UTA]),
        (
            ["Ana </o=Clinic/ou=First Group/cn=ana>"],
            [("email:/o=clinic/ou=first group/cn=ana", "Ana")],
        ),
    ],
)
def test_parse_addresses(values: list[str], expected: list[tuple[str, str]]) -> None:
    assert parse_addresses(values) == tuple(
        Address(KINDS.get(value[0], AddressKind.EMAIL), value, display)
        if not value.startswith("email:")
        else Address(AddressKind.OTHER, value, display)
        for value, display in expected
    )
