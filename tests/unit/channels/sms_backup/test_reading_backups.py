"""SMS Backup & Restore XML in, messages out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.sms_backup import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message

CLINIC = Address(AddressKind.PHONE, "+15551230100")
ANA, BEN = "+15551230111", "+15551230112"
NOON = 1_714_564_800_000  # 2024-05-01T12:00Z
PNG = "iVBORw0KGgo="

Read = Callable[..., list[Message | Broken]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(
        *elements: str,
        owner: tuple[Address, ...] = (CLINIC,),
        count: int = 0,
        end: str = "</smses>",
    ):
        path = tmp_path / "sms.xml"
        head = (
            f"<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<smses count=\"{count}\">\n"
        )
        path.write_text(head + "\n".join(elements) + end, "utf-8", "surrogateescape")
        return list(CHANNEL.read(path, ReadOptions(ZoneInfo("America/New_York"), owner)))

    return read


def sms(body: str = "Hello", **attributes: object) -> str:
    values = {"address": ANA, "date": NOON, "type": 1, "contact_name": "Ana Prado"} | attributes
    return f'<sms body="{body}" ' + " ".join(f'{k}="{v}"' for k, v in values.items()) + " />"


def mms(*parts: str, addrs: dict[str, int] | None = None, **attributes: object) -> str:
    values = {"address": ANA, "date": NOON, "msg_box": 1, "m_type": 132} | attributes
    named = "".join(f'<addr address="{a}" type="{t}"/>' for a, t in (addrs or {}).items())
    head = " ".join(f'{key}="{value}"' for key, value in values.items())
    return f"<mms {head}><parts>{''.join(parts)}</parts><addrs>{named}</addrs></mms>"


def part(kind: str = "text/plain", **attributes: object) -> str:
    return f'<part ct="{kind}" ' + " ".join(f'{k}="{v}"' for k, v in attributes.items()) + "/>"


def test_a_received_sms(read: Read) -> None:
    (message,) = read(sms("I feel better", date_sent=NOON - 3000))
    assert isinstance(message, Message)
    assert message.sender == Address(AddressKind.PHONE, ANA, "Ana Prado")
    assert message.recipients == (CLINIC,)
    assert message.sent == datetime(2024, 5, 1, 11, 59, 57, tzinfo=UTC)
    assert message.received == datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert (message.text, message.new_text) == ("I feel better", "I feel better")
    assert (message.thread_hint, message.medium, message.notes) == (ANA, "SMSWRIT", ())


def test_a_sent_sms_is_in_the_thread_of_its_recipient(read: Read) -> None:
    (message,) = read(sms(type=2, address="(555) 123-0111"))
    assert isinstance(message, Message)
    assert message.sender == CLINIC
    assert [one.value for one in message.recipients] == [ANA]
    assert (message.thread_hint, message.received) == (ANA, None)


def test_without_an_owner_the_phone_itself_stands_in(read: Read) -> None:
    (message,) = read(sms(type=2), owner=())
    assert isinstance(message, Message)
    assert message.sender.key == (AddressKind.OTHER, "sms_backup:owner")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("&#55357;&#56832; ok", "\U0001f600 ok"),
        ("&#xD83D;&#xDE00;", "\U0001f600"),
        ("caf&#233;&#10;bar &amp; &lt;b&gt;", "café\nbar & <b>"),
        ("a > b /> c", "a > b /> c"),
        ("a&#0;b&#1;c", "abc"),
        ("half &#55357; of it", "half \ufffd of it"),
        ("a\x00\x07b", "ab"),
        ("\udced\udca0\udcbd\udced\udcb8\udc80", "\U0001f600"),
        ("bad \udcff byte", "bad \ufffd byte"),
    ],
)
def test_what_the_app_writes_that_is_not_xml(read: Read, written: str, text: str) -> None:
    first, second = read(sms(written), sms("after it", date=NOON + 1))
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.text, second.text) == (text, "after it")
    lossy = "\ufffd" in text or text in ("abc", "ab")
    assert bool(first.notes) is lossy


NOTHING_THAT_WAS_SENT = (
    *("draft", "outbox", "could not be sent", "waiting to be sent", "never fetched"),
    "report about an MMS",
)


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (sms(type=3), "draft"),
        (sms(type=4), "outbox"),
        (sms(type=5), "could not be sent"),
        (sms(type=6), "waiting to be sent"),
        (sms(type=9), "kind that is not known"),
        (sms(date="null"), "no usable date"),
        (sms(date=0), "no usable date"),
        (sms(date="9" * 15), "no usable date"),
        (sms(""), "empty"),
        (sms("null"), "empty"),
        (sms(address="null"), "nobody is named"),
        (sms(address="-1"), "nobody is named"),
        (mms(m_type=130), "never fetched"),
        (mms(part("application/smil", text="&lt;smil/&gt;"), m_type=134), "report about an MMS"),
        (mms(m_type=136), "report about an MMS"),
        (mms(), "empty"),
        (mms(msg_box=3), "draft"),
        ("<sms body='no end'", "damaged"),
        (sms("&harm;"), "damaged"),
    ],
)
def test_what_is_no_message_is_set_aside_with_its_bytes(
    read: Read, element: str, reason: str
) -> None:
    broken, after = read(element, sms("after it"))
    assert isinstance(broken, Broken)
    assert reason in broken.reason
    assert broken.set_aside == (reason in NOTHING_THAT_WAS_SENT)
    assert broken.content.strip() == element.encode()
    assert broken.source.startswith("sms.xml, message 1 (byte ")
    assert isinstance(after, Message)


def test_an_entity_of_its_own_expands_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml"
    bomb = '<!DOCTYPE smses [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    path.write_text(f"<?xml version='1.0'?>{bomb}<smses>{sms('&b;')}</smses>")
    (broken,) = CHANNEL.read(path, ReadOptions(ZoneInfo("UTC")))
    assert isinstance(broken, Broken)


@pytest.mark.parametrize(("name", "value"), [("24365", "24365"), ("HealthPlan", "sms:HealthPlan")])
def test_senders_that_are_no_phone_are_kept(read: Read, name: str, value: str) -> None:
    (message,) = read(sms(address=name, contact_name="(Unknown)"))
    assert isinstance(message, Message)
    assert (message.sender.value, message.sender.display) == (value, "")


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [(0, 0), ("null", 0), (NOON - 5000, -5), (NOON // 1000 - 5, -5), (NOON + 7_200_000, 0), (7, 0)],
)
def test_the_time_of_sending_is_believed_if_it_can_be_true(
    read: Read, claimed: object, believed: int
) -> None:
    (message,) = read(sms(date_sent=claimed))
    assert isinstance(message, Message)
    assert (message.sent.timestamp() - NOON / 1000) == believed


def test_a_failed_delivery_is_noted(read: Read) -> None:
    (message,) = read(sms(type=2, status=64))
    assert isinstance(message, Message)
    assert message.notes == ("the network reported that it was not delivered",)


def test_an_mms_with_a_picture(read: Read) -> None:
    (message,) = read(
        mms(
            part("application/smil", text="&lt;smil/&gt;", seq=-1),
            part("image/png", name="null", fn="null", cl="rash.png", data=PNG, seq=0),
            part("text/plain", text="Look", seq=1),
            part("text/plain", text="here", seq=2),
            addrs={ANA: 137, CLINIC.value: 151},
            sub="NoSubject",
        )
    )
    assert isinstance(message, Message)
    assert (message.text, message.subject, message.medium) == ("Look\nhere", "", "MMSWRIT")
    (picture,) = message.attachments
    assert (picture.filename, picture.content_type) == ("rash.png", "image/png")
    assert picture.content == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("attributes", "note"),
    [
        ({}, "is not in the backup"),
        ({"data": ""}, "is not in the backup"),
        ({"data": "A"}, "is damaged in the backup"),
    ],
)
def test_a_picture_that_is_missing_is_named(
    read: Read, attributes: dict[str, str], note: str
) -> None:
    (message,) = read(mms(part("image/jpeg", name="a.jpg", **attributes)))
    assert isinstance(message, Message)
    assert message.attachments[0].content is None
    assert message.attachments[0].note == note
    assert message.notes == (f"a file of it {note}",)


@pytest.mark.parametrize(
    ("owner", "attributes", "addrs", "sender", "recipients"),
    [
        # The list names the practice's number: it is complete.
        (
            (CLINIC,),
            {"address": f"{ANA}~{BEN}"},
            {BEN: 137, ANA: 151, CLINIC.value: 151},
            BEN,
            ["+15551230100", ANA],
        ),
        (
            (CLINIC,),
            {"address": ANA},
            {ANA: 137, BEN: 130, CLINIC.value: 151},
            ANA,
            ["+15551230100", BEN],
        ),
        (
            (CLINIC,),
            {"address": f"{ANA}~{BEN}", "msg_box": 2},
            {"insert-address-token": 137, ANA: 151, BEN: 151},
            "+15551230100",
            [ANA, BEN],
        ),
        # It names another number of the phone, which nobody told us of.
        (
            (CLINIC,),
            {"address": f"{ANA}~{BEN}"},
            {BEN: 137, ANA: 151, "+15551239999": 151},
            BEN,
            ["+15551230100", ANA],
        ),
        (
            (),
            {"address": f"{ANA}~{BEN}"},
            {BEN: 137, ANA: 151, "+15551239999": 151},
            BEN,
            ["sms_backup:owner", ANA],
        ),
    ],
)
def test_a_group_mms(
    read: Read,
    owner: tuple[Address, ...],
    attributes: dict[str, object],
    addrs: dict[str, int],
    sender: str,
    recipients: list[str],
) -> None:
    (message,) = read(mms(part(text="Hi all"), addrs=addrs, **attributes), owner=owner)
    assert isinstance(message, Message)
    assert message.sender.value == sender
    assert [one.value for one in message.recipients] == recipients
    assert message.thread_hint == f"{ANA},{BEN}"


def test_a_subject_whose_bytes_android_kept_as_characters(read: Read) -> None:
    spoilt = "Übung".encode().decode("latin-1")
    (message,) = read(mms(part(text="x"), sub=spoilt, sub_cs=106))
    assert isinstance(message, Message)
    assert message.subject == "Übung"


def test_a_file_that_breaks_off_keeps_what_stands_before(read: Read) -> None:
    whole, torn = read(sms("whole"), sms("torn")[:40], count=9, end="")[:2]
    assert isinstance(whole, Message)
    assert isinstance(torn, Broken)
    assert torn.content == sms("torn")[:40].encode()


def test_a_file_that_ends_between_two_messages_says_so(read: Read) -> None:
    whole, end = read(sms(), count=7, end="\n")
    assert isinstance(whole, Message)
    assert isinstance(end, Broken)
    assert end.reason == "the file breaks off: it announces 7 messages, 1 are there"


@pytest.mark.parametrize(("head", "items"), [("<smses count='1'>", 1), ("<smses count='0'/>", 0)])
def test_a_file_that_ends_before_its_first_message_says_so(
    tmp_path: Path, head: str, items: int
) -> None:
    path = tmp_path / "sms.xml"
    path.write_text(head)
    assert len(list(CHANNEL.read(path, ReadOptions(ZoneInfo("UTC"))))) == items
    path.write_text("<smses>")
    (broken,) = CHANNEL.read(path, ReadOptions(ZoneInfo("UTC")))
    assert isinstance(broken, Broken)
    assert broken.content == b"<smses>"


@pytest.mark.parametrize("end", ["<", "</", "</sms", "</smses", "<sm", "<mms"])
def test_a_tear_within_what_follows_keeps_the_message(read: Read, end: str) -> None:
    whole, torn = read(sms("whole"), end=end)
    assert isinstance(whole, Message)
    assert isinstance(torn, Broken)
    assert torn.content == end.encode()


def test_what_follows_the_end_is_not_lost(read: Read) -> None:
    assert len(read(sms(), end="</smses>\n<!-- made by hand -->\n")) == 1
    _, rest = read(sms(), end="</smses>\n" + sms("after"))
    assert isinstance(rest, Broken)
    assert b"after" in rest.content


def test_the_id_does_not_depend_on_the_backup(read: Read) -> None:
    (one,) = read(sms("Hello", readable_date="x", read=0))
    (two,) = read(sms("Hello", address="(555) 123-0111", contact_name="null", read=1))
    others = read(sms("Hallo"), sms(date=NOON + 1000), sms(address=BEN), sms(type=2))
    assert isinstance(one, Message)
    assert isinstance(two, Message)
    assert one.external_id == two.external_id
    ids = {other.external_id for other in others if isinstance(other, Message)}
    assert len(ids | {one.external_id}) == 5


def ids(items: list[Message | Broken]) -> list[str]:
    assert not [item for item in items if isinstance(item, Broken)]
    return [item.external_id for item in items if isinstance(item, Message)]


@pytest.mark.parametrize("box", [1, 2])
def test_milliseconds_that_an_app_cuts_make_no_other_message(read: Read, box: int) -> None:
    exact = ids(read(sms(date=NOON + 123, type=box), sms(date=NOON + 900, type=box)))
    cut = ids(read(sms(date=NOON, type=box), sms(date=NOON, type=box)))
    seconds = ids(read(sms(date=NOON // 1000, type=box)))
    assert exact == cut
    assert len(set(exact)) == 2
    assert seconds == exact[:1]


def test_a_phone_that_was_restored_has_every_message_once(read: Read) -> None:
    once = ids(read(sms(date=NOON + 123), sms(date=NOON + 900)))
    twice = ids(read(*[sms(date=NOON + n) for n in (123, 900, 123, 900)]))
    mixed = ids(read(sms(date=NOON + 123), sms(date=NOON), sms(date=NOON + 900), sms(date=NOON)))
    assert set(twice) == set(mixed) == set(once)


def test_three_equal_messages_of_one_second_are_three(read: Read) -> None:
    assert len(set(ids(read(*[sms("ok", date=NOON)] * 3)))) == 3


SMIL = part(
    "application/smil",
    seq=-1,
    text="&lt;smil&gt;&lt;par&gt;&lt;img src=&quot;rash.jpg&quot; region=&quot;a&quot;/&gt;"
    "&lt;text src=&quot;t.txt&quot;/&gt;&lt;/par&gt;&lt;/smil&gt;",
)
TEXT = part(text="Look", cl="t.txt", seq=1)


@pytest.mark.parametrize("kind", ["", 'ct=""', 'ct="null"'])
def test_a_part_with_a_text_and_no_type_is_text(read: Read, kind: str) -> None:
    (message,) = read(mms(f'<part {kind} seq="0" text="My knee hurts"/>'))
    assert isinstance(message, Message)
    assert (message.text, message.attachments) == ("My knee hurts", ())


PICTURE = part("image/jpeg", cl="rash.jpg", data="QUJD", seq=0)


@pytest.mark.parametrize("m_id", ["null", "m-1@mmsc.example.org"])
@pytest.mark.parametrize("text", [(TEXT,), ()])
@pytest.mark.parametrize("layout", [(SMIL,), (part("application/smil", text="x"),)])
def test_an_mms_without_its_files_has_the_same_id(
    read: Read, m_id: str, text: tuple[str, ...], layout: tuple[str, ...]
) -> None:
    (full,) = read(mms(*layout, PICTURE, *text, m_id=m_id, sub="Rash"))
    (bare,) = read(mms(*layout, *text, m_id=m_id))
    assert isinstance(full, Message)
    assert isinstance(bare, Message)
    assert full.external_id == bare.external_id
    assert [one.content for one in full.attachments] == [b"ABC"]
    if layout == (SMIL,) or not text:
        (absent,) = bare.attachments
        assert absent.content is None
        assert bare.notes == ("a file of it is not in the backup",)
    if layout == (SMIL,):
        assert bare.attachments[0].filename == "rash.jpg"


def test_pictures_of_one_second_are_told_apart_by_the_network(read: Read) -> None:
    both = [mms(PICTURE, m_id=f"m-{n}") for n in (1, 2)]
    assert ids(read(*both)) == ids(read(*reversed(both)))[::-1]
    assert len(set(ids(read(*both, *both)))) == 2


@pytest.mark.parametrize(
    ("address", "addrs", "reason"),
    [
        (f"{ANA}~{BEN}", {ANA: 151, BEN: 151, CLINIC.value: 151}, "none is named as its sender"),
        (f"{ANA}~{BEN}", {"insert-address-token": 137, ANA: 151, BEN: 151}, "none is named"),
        (f"{ANA}~{BEN}", {}, "none is named"),
        (ANA, {ANA: 151, BEN: 130, CLINIC.value: 151}, "none is named"),
        (ANA, {CLINIC.value: 137, ANA: 151}, "names the phone's own number as its sender"),
    ],
)
def test_nobody_is_guessed_to_have_written_to_a_group(
    read: Read, address: str, addrs: dict[str, int], reason: str
) -> None:
    element = mms(part(text="My rash is back"), address=address, addrs=addrs)
    (broken,) = read(element)
    assert isinstance(broken, Broken)
    assert reason in broken.reason
    assert broken.content.strip() == element.encode()


@pytest.mark.parametrize(
    ("address", "addrs", "sender"),
    [
        (f"{ANA}~{BEN}", {f"{BEN}/TYPE=PLMN": 137, ANA: 151}, BEN),
        (f"{ANA}~{BEN}", {"+15551230119": 137, ANA: 151, BEN: 151}, "+15551230119"),
        (f"{ANA};{BEN}", {ANA: 137}, ANA),
        (ANA, {"insert-address-token": 137}, ANA),
        (ANA, {"+15551230119": 137, ANA: 151}, ANA),
        (f"rcs:{ANA}", {}, ANA),
        ("ana@example.org", {"ana@example.org": 137}, "ana@example.org"),
    ],
)
def test_who_wrote(read: Read, address: str, addrs: dict[str, int], sender: str) -> None:
    (message,) = read(mms(part(text="Hi"), address=address, addrs=addrs))
    assert isinstance(message, Message)
    assert message.sender.value == sender


@pytest.mark.parametrize("sub", ["-1", "null", "NoSubject", "", "proto:CjoKImNvbS5leGFtcGxl"])
def test_what_stands_for_no_subject(read: Read, sub: str) -> None:
    one, two = read(mms(part(text="Hi"), sub=sub), sms(subject=sub))
    assert isinstance(one, Message)
    assert isinstance(two, Message)
    assert (one.subject, two.subject) == ("", "")


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("image/JPEG", "image/jpeg"),
        ("image/png; name=a.png", "image/png; name=a.png"),
        ("image/png text/html", "application/octet-stream"),
        ("image/png,text/html", "application/octet-stream"),
        ("image", "application/octet-stream"),
        ("null", "application/octet-stream"),
        ("text/x-vCard", "text/x-vcard"),
    ],
)
def test_the_type_of_a_part_is_one_type_or_none(read: Read, written: str, kind: str) -> None:
    (message,) = read(mms(part(written, cl="a", data="QUJD")))
    assert isinstance(message, Message)
    assert message.attachments[0].content_type == kind


def test_a_text_part_that_is_not_there_is_noted(read: Read) -> None:
    (message,) = read(mms(part(text="null", seq=0), part(text="Look", seq=1)))
    assert isinstance(message, Message)
    assert message.text == "Look"
    assert message.notes == ("a part of its text is not in the backup, or was the word null",)


def test_pieces_longer_than_one_reading(read: Read) -> None:
    data = "QUJD" * 200_000
    messages = read(
        *(mms(part("video/mp4", name="v.mp4", data=data), date=NOON + i) for i in range(3))
    )
    sizes = [len(one.attachments[0].content or b"") for one in messages if isinstance(one, Message)]
    assert sizes == [600_000] * 3


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b"<?xml version='1.0'?>\n<!-- made by -->\n<smses count='1'>", True),
        (b"\xef\xbb\xbf<smses>", True),
        (b"<?xml version='1.0'?><?xml-stylesheet href='sms.xsl'?><smses count='1'>", True),
        (b"<?xml version='1.0'?><calls count='1'>", False),
        (b"From: <smses>", False),
    ],
)
def test_a_backup_is_known_by_its_root(head: bytes, known: bool) -> None:
    assert CHANNEL.sniff(head, Path("any")) is known


def test_a_file_taken_for_a_backup_by_force(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("not a backup")
    (broken,) = CHANNEL.read(path, ReadOptions(ZoneInfo("UTC")))
    assert broken == Broken(
        "sms_backup", "note.txt", "no message backup begins here", b"not a backup", "text/xml"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_backup_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "sms.xml"
    texts = [f"Grüße {number} 😀" for number in range(5000)]
    backup = f'<?xml version="1.0"?>\n<smses count="5000">{"".join(map(sms, texts))}</smses>'
    mark = "\ufeff" if encoding.endswith("e") else ""
    path.write_bytes((mark + backup).encode(encoding))
    assert CHANNEL.sniff(path.read_bytes()[:16_384], path)
    items = CHANNEL.read(path, ReadOptions(ZoneInfo("America/New_York"), (CLINIC,)))
    assert [item.text for item in items if isinstance(item, Message)] == texts
