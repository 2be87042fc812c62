"""Only what was sent is care: drafts and spam are set aside, what is in the trash says so."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels.email.mail import read_mail
from threadwell.channels.email.mailboxes import Mailbox, gmail_mailboxes, mailbox_of
from threadwell.channels.email.state import (
    DRAFT,
    IN_TRASH,
    MARKED_DELETED,
    SPAM,
    TEMPLATE,
    UNSENT,
    Kept,
)
from threadwell.messages import Broken, Message

from .conftest import NOW

DRAFT_INFO = {"X-Mozilla-Draft-Info": "internal/draft; vcard=0; receipt=0; DSN=0"}
CARRIED = {"Received": "from a by b; Wed, 10 Apr 2024 09:00:00 +0000"}


@pytest.mark.parametrize(
    ("fields", "kept", "reason"),
    [
        ({"X-Gmail-Labels": "Drafts,Opened"}, Kept(), DRAFT),
        ({"X-Gmail-Labels": "Opened,Draft", **CARRIED}, Kept(), DRAFT),
        ({"X-Gmail-Labels": "=?UTF-8?Q?Ge=C3=B6ffnet,Entw=C3=BCrfe?="}, Kept(), DRAFT),
        ({"X-Gmail-Labels": '=?UTF-8?Q?"Culture,_sport",Brouillons?='}, Kept(), DRAFT),
        ({"X-Gmail-Labels": "=?UTF-8?B?0KfQtdGA0L3QvtCy0LjQutC4?="}, Kept(), DRAFT),
        ({"X-Unsent": "1"}, Kept(), DRAFT),
        (DRAFT_INFO, Kept(), DRAFT),
        (DRAFT_INFO, Kept(Mailbox.TRASH), DRAFT),
        ({"X-Mozilla-Status2": "01000000"}, Kept(), TEMPLATE),
        ({"X-Mozilla-Status": "0801"}, Kept(), UNSENT),
        ({"X-Status": "TA"}, Kept(), DRAFT),
        ({"X-Evolution": "0000001f-0014"}, Kept(), DRAFT),
        ({"X-Uniform-Type-Identifier": "com.apple.mail-draft"}, Kept(), DRAFT),
        ({"X-Draft-Info": "type=reply; uid=7"}, Kept(), DRAFT),
        ({}, Kept(flags="DS"), DRAFT),
        (CARRIED, Kept(flags="D"), DRAFT),
        ({}, Kept(Mailbox.DRAFTS), DRAFT),
        ({}, Kept(Mailbox.TEMPLATES), TEMPLATE),
        ({}, Kept(Mailbox.OUTBOX), UNSENT),
        ({"X-Gmail-Labels": "Spam,Unread", **CARRIED}, Kept(), SPAM),
        ({"X-Gmail-Labels": "=?UTF-8?B?6L+35oOR44Oh44O844Or?="}, Kept(), SPAM),
        ({"X-Mozilla-Keys": "$label1 Junk", **CARRIED}, Kept(), SPAM),
        ({"X-Keywords": "$Junk"}, Kept(), SPAM),
        (CARRIED, Kept(Mailbox.SPAM), SPAM),
        ({"From": None, "X-Unsent": "1"}, Kept(), DRAFT),
    ],
)
def test_set_aside(write, fields: dict[str, str], kept: Kept, reason: str) -> None:
    raw = write("half written", **fields)
    found = read_mail(raw, "one.eml", ZoneInfo("UTC"), NOW, kept=kept)
    assert found == Broken("email", "one.eml", reason, raw, "message/rfc822", set_aside=True)


@pytest.mark.parametrize(
    ("fields", "kept", "notes"),
    [
        ({"X-Gmail-Labels": "Sent,Opened"}, Kept(), ()),
        ({"X-Gmail-Labels": '"Drafts, mine",Patients/Drafts'}, Kept(), ()),
        ({"X-Gmail-Labels": "Trash"}, Kept(), (IN_TRASH,)),
        ({"X-Gmail-Labels": "Papierkorb"}, Kept(), (IN_TRASH,)),
        ({}, Kept(Mailbox.TRASH), (IN_TRASH,)),
        ({}, Kept(flags="T"), (MARKED_DELETED,)),
        ({"X-Mozilla-Status": "0009"}, Kept(), (MARKED_DELETED,)),
        ({"X-Mozilla-Status2": "00200000"}, Kept(), (MARKED_DELETED,)),
        ({"X-Status": "D"}, Kept(), (MARKED_DELETED,)),
        ({"X-Evolution": "0000001f-0012"}, Kept(), (MARKED_DELETED,)),
        ({"X-Mozilla-Status": "odd", "X-Evolution": "odd"}, Kept(), ()),
        ({"X-Mozilla-Status": "0001", "X-Mozilla-Keys": "NonJunk"}, Kept(), ()),
        # What programs leave on mails that they send in the end.
        (DRAFT_INFO | CARRIED, Kept(), ()),
        (DRAFT_INFO | {"DKIM-Signature": "v=1"}, Kept(), ()),
        (DRAFT_INFO, Kept(Mailbox.SENT), ()),
        ({"X-Unsent": "1"} | CARRIED, Kept(), ()),
        ({"X-Unsent": "0"}, Kept(), ()),
        (CARRIED, Kept(Mailbox.DRAFTS), ()),
    ],
)
def test_what_was_sent(write, fields: dict[str, str], kept: Kept, notes: tuple[str, ...]) -> None:
    raw = write("whole", **fields)
    found = read_mail(raw, "one.eml", ZoneInfo("UTC"), NOW, kept=kept)
    assert isinstance(found, Message), found.reason
    assert found.notes == notes


@pytest.mark.parametrize(
    ("name", "mailbox"),
    [
        ("Drafts", Mailbox.DRAFTS),
        ("Drafts.mbox", Mailbox.DRAFTS),
        (".Drafts", Mailbox.DRAFTS),
        (".INBOX.Drafts", Mailbox.DRAFTS),
        (".[Gmail].Entw&APw-rfe", Mailbox.DRAFTS),
        ("[Gmail].Spam", Mailbox.SPAM),
        ("Junk E-mail", Mailbox.SPAM),
        ("Unsent Messages", Mailbox.OUTBOX),
        ("Templates", Mailbox.TEMPLATES),
        ("TRASH.sbd", Mailbox.TRASH),
        ("Sent Items", Mailbox.SENT),
        ("&bad-name", Mailbox.OTHER),
        ("&AP-", Mailbox.OTHER),
        ("R&-D", Mailbox.OTHER),
        ("Archive.2023", Mailbox.OTHER),
        ("My drafts", Mailbox.OTHER),
        ("Draft.eml", Mailbox.OTHER),
        ("Drafts.mbox/mbox", Mailbox.DRAFTS),
    ],
)
def test_a_folders_name(name: str, mailbox: Mailbox) -> None:
    assert mailbox_of(Path("mail") / name) is mailbox


# One system label in every language of Gmail's that writes it in its own way.
@pytest.mark.parametrize(
    "label",
    [
        *("Drafts", "Entwürfe", "Brouillons", "Borradores", "Bozze", "Rascunhos", "Concepten"),
        *("Kladder", "Utkast", "Luonnokset", "Drög", "Wersje robocze", "Koncepty", "Osnutki"),
        *("Skice", "Нацрти", "Piszkozatok", "Ciorne", "Чернови", "Черновики", "Чернетки"),
        *("Πρόχειρα", "Taslaklar", "טיוטות", "مسودات", "پیش‌نویس‌ها", "ड्राफ़्ट", "খসড়া"),
        *("வரைவுகள்", "ฉบับร่าง", "Thư nháp", "Draf", "草稿", "下書き", "임시보관함"),
        *("Mustandid", "Melnraksti", "Juodraščiai", "Esborranys", "Mga Draft", "Rasimu"),
    ],
)
def test_drafts_in_gmails_languages(label: str) -> None:
    assert gmail_mailboxes(f"Opened,{label.upper()},Important") == {Mailbox.DRAFTS}
