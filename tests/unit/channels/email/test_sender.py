"""Who wrote a mail: nobody is guessed to be its sender."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from threadwell.channels.email import sender
from threadwell.channels.email.mail import read_mail
from threadwell.messages import Broken, Message, parse_email

from .conftest import NOW

ANA, BEN, DESK = "ana@example.org", "ben@example.org", "desk@clinic.example.org"
NURSES = "nurses@lists.clinic.example.org"
VIA = f"'Ana Prado' via Nurses <{NURSES}>"
LIST = {"List-Id": "Nurses <nurses.lists.clinic.example.org>"}
CARE = "care@clinic.example.org"
OWN = frozenset(found.key for text in (DESK, CARE) if (found := parse_email(text)))
HELD = f"held: {sender.HIDDEN}"


@pytest.mark.parametrize(
    ("fields", "writer"),
    [
        # A list, as Google's groups and Mailman write.
        ({"From": VIA, "Reply-To": f"Ana Prado <{ANA}>", "X-Original-From": ANA, **LIST}, ANA),
        ({"From": VIA, "X-Original-From": f"Ana <{ANA}>", **LIST}, ANA),
        ({"From": VIA, "X-Original-Sender": ANA, **LIST}, ANA),
        # A list that makes an address which reaches nobody.
        ({"From": f"Ana <{ANA}.invalid>", "X-Original-From": ANA}, ANA),
        ({"From": f"Ana <{ANA}.invalid>", "Reply-To": BEN}, f"{ANA}.invalid"),
        ({"From": VIA, "X-Google-Original-From": ANA, **LIST}, ANA),
        ({"From": VIA, "Reply-To": ANA, **LIST}, ANA),
        ({"From": VIA, "Reply-To": f"{ANA}, {NURSES}", **LIST}, ANA),
        ({"From": VIA, "Sender": ANA, **LIST}, ANA),
        ({"From": VIA, "Resent-From": ANA, "Sender": NURSES, **LIST}, ANA),
        ({"From": VIA, "Reply-To": f"Ana Prado <{ANA}>, Ben <{BEN}>", **LIST}, ANA),
        ({"From": VIA, "Reply-To": f"{ANA}, {BEN}", **LIST}, HELD),
        ({"From": VIA, "Reply-To": ANA, "Sender": BEN, **LIST}, HELD),
        ({"From": VIA, "Reply-To": NURSES, **LIST}, HELD),
        ({"From": VIA, **LIST}, HELD),
        ({"From": f"Ana Prado über Pflege <{NURSES}>", **LIST}, HELD),
        ({"From": VIA, "Reply-To": ANA, "List-Post": f"<mailto:{NURSES}>"}, ANA),
        ({"From": VIA, "Reply-To": ANA, "Mailing-list": f"list {NURSES}; contact x@y.z"}, ANA),
        ({"From": VIA, "Reply-To": ANA, "X-BeenThere": NURSES}, ANA),
        ({"From": VIA, "To": NURSES, "Reply-To": ANA}, ANA),
        ({"From": f"Nurses <{NURSES}>", "Reply-To": ANA, **LIST}, ANA),
        ({"From": f"Nurses <{NURSES}>", **LIST}, NURSES),
        ({"From": f"Nurses <{NURSES}>", "Reply-To": NURSES, **LIST}, NURSES),
        # A mailbox of the practice.
        ({"From": DESK, "To": DESK, "X-Original-From": ANA}, ANA),
        ({"From": DESK, "To": BEN, "X-Original-From": ANA}, ANA),
        ({"From": DESK, "To": DESK, "X-Google-Original-From": f"Ana <{ANA}>"}, ANA),
        ({"From": DESK, "To": DESK, "Reply-To": ANA}, ANA),
        ({"From": DESK, "To": f"{DESK}, {BEN}", "Reply-To": ANA}, ANA),
        ({"From": DESK, "To": DESK, "Reply-To": ANA, "Sender": BEN}, HELD),
        ({"From": DESK, "To": DESK, "Reply-To": CARE}, DESK),
        ({"From": DESK, "To": DESK, "Reply-To": "dr.lee@clinic.example.org"}, DESK),
        ({"From": DESK, "To": BEN, "Reply-To": "clinic@example.net"}, DESK),
        ({"From": DESK, "To": BEN, "Sender": "assistant@example.net"}, DESK),
        ({"From": DESK, "To": DESK}, DESK),
        ({"From": f"Ana via Desk <{DESK}>", "To": BEN}, HELD),
        # Nobody replaced anything.
        ({"From": ANA, "Reply-To": BEN}, ANA),
        ({"From": ANA, "Sender": NURSES, "X-Original-From": BEN, **LIST}, ANA),
        ({"From": ANA, "To": f"{DESK}, {ANA}", "Reply-To": BEN}, ANA),
        ({"From": ANA, "Resent-From": DESK}, ANA),
        (
            {"From": "Ana via Payments <no-reply@pay.example>", "Reply-To": BEN},
            "no-reply@pay.example",
        ),
        # Several authors, of whom one sent it.
        ({"From": f"{ANA}, {BEN}", "Sender": BEN}, BEN),
        ({"From": f"{ANA}, {BEN}", "Sender": DESK}, ANA),
    ],
)
def test_who_wrote(write, fields: dict[str, str], writer: str) -> None:
    found = read_mail(write("My chest hurts", **fields), "x", ZoneInfo("UTC"), NOW, own=OWN)
    got = f"held: {found.reason}" if isinstance(found, Broken) else found.sender.value
    assert got == writer


def test_a_replaced_sender_is_noted_and_named(write) -> None:
    raw = write(
        "Hello",
        From=VIA,
        **{"X-Original-From": ANA, "Reply-To": f"Ana Prado <{ANA}>", **LIST},
    )
    found = read_mail(raw, "x", ZoneInfo("UTC"), NOW)
    assert isinstance(found, Message)
    assert (found.sender.display, found.notes) == ("Ana Prado", (sender.REPLACED,))
