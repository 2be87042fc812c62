"""Pages of Google Takeout in, messages out."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.google_voice import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message, gaps

from .conftest import ANA, BEN, CLINIC, Read, call, me, message, page, sound, them

TEN = "2026-11-02T10:04:05.496-05:00"
AT = "2026-11-02T15_04_05Z"
TEXT = "{} - Text - 2026-11-02T15_04_05Z.html"
PHONES = (
    "BEGIN:VCARD\nVERSION:3.0\nFN:\nN:;;;;\nitem1.TEL:+12075550199\nitem1.X-ABLabel:Other\n"
    "item2.TEL:+12075550100\nitem2.X-ABLabel:Google Voice\nTEL;TYPE=CELL:+12075550198\nEND:VCARD\n"
)


def test_both_sides_of_a_thread(read: Read) -> None:
    html = page(
        message(them(name="Ana Prado"), "My knee &amp; hip<br>hurt<br>", TEN),
        message(me(), "Since when?", "2026-11-02T10:05:00.001-05:00"),
        title="Ana Prado",
    )
    first, second = sound(read({TEXT.format("Ana Prado"): html}))
    assert first.sender == Address(AddressKind.PHONE, ANA, "Ana Prado")
    assert [one.value for one in first.recipients] == [CLINIC]
    assert first.text == first.new_text == "My knee & hip\nhurt"
    assert first.sent == datetime(2026, 11, 2, 15, 4, 5, 496_000, UTC)
    assert (second.sender.value, [one.value for one in second.recipients]) == (CLINIC, [ANA])
    assert [one.thread_hint for one in (first, second)] == [ANA, ANA]
    assert [one.medium for one in (first, second)] == ["SMSWRIT", "SMSWRIT"]
    assert first.made_id
    assert first.notes == second.notes == ()


@pytest.mark.parametrize(
    ("files", "number"),
    [
        pytest.param(
            {TEXT.format(ANA): page(message(me(), "Hi", TEN), title="Me to")}, ANA, id="number"
        ),
        pytest.param({TEXT.format("24365"): page(message(me(), "Hi", TEN))}, "24365", id="short"),
        pytest.param(
            {
                TEXT.format("Ana Prado"): page(message(me(), "Hi", TEN), title="Me to\nAna Prado"),
                "Ana Prado - Text - 2026-11-09T15_04_05Z.html": page(
                    message(them(), "Hello", "2026-11-09T10:04:05.000-05:00")
                ),
            },
            ANA,
            id="named by another file",
        ),
        pytest.param(
            {
                TEXT.format("Ana Pra"): page(message(me(), "Hi", TEN), title="Me to\nAna Prado"),
                "Ana Pra - Voicemail - 2026-11-09T15_04_05Z.html": call(
                    labels=("missed",), name="Ana Prado"
                ),
            },
            ANA,
            id="named by a call, the file's name cut",
        ),
        pytest.param(
            {TEXT.format("Ana"): page(message(me(), "Hi", TEN), title="Me to\nAna")},
            None,
            id="nowhere",
        ),
        pytest.param({"renamed.html": page(message(me(), "Hi", TEN))}, None, id="renamed"),
        pytest.param(
            {
                TEXT.format("Ana"): page(message(me(), "Hi", TEN), title="Me to\nAna"),
                "Group Conversation - 2026-11-01T15_04_05Z.html": page(
                    message(me(), "You two", "2026-11-01T10:04:05.000-05:00"),
                    group=them(ANA, "Ana") + them(BEN, "Ana"),
                ),
            },
            None,
            id="two of one name",
        ),
    ],
)
def test_to_whom_a_message_went_that_nobody_answered(
    read: Read, files: dict[str, str], number: str | None
) -> None:
    found = [item for item in read({**files}) if getattr(item, "text", "Hi") == "Hi"]
    found = [item for item in found if not (isinstance(item, Broken) and item.set_aside)]
    (item,) = found
    if number is None:
        assert isinstance(item, Broken)
        assert "no number" in item.reason
        assert b"Hi" in item.content
        assert not item.set_aside
    else:
        assert isinstance(item, Message)
        assert [one.value for one in item.recipients] == [number]
        assert item.thread_hint == number


def test_who_wrote_where_the_number_is_empty_or_the_owners(read: Read) -> None:
    html = page(
        message(them(""), "one", TEN),
        message(them(CLINIC), "two", TEN),
        message(them(ANA, "Ana"), "three", TEN),
        message(me(), "four", TEN),
    )
    items = sound(read({TEXT.format("Ana"): html}))
    assert [one.sender.value for one in items] == [ANA, ANA, ANA, CLINIC]
    assert {one.thread_hint for one in items} == {ANA}


def test_me_is_known_by_its_element_and_not_by_the_word(read: Read) -> None:
    html = page(
        message(me().replace("Me<", "Ich<"), "from us", TEN), message(them(name="Me"), "to us", TEN)
    )
    ours, theirs = sound(read({TEXT.format("Me"): html}))
    assert (ours.sender.value, theirs.sender.value) == (CLINIC, ANA)


def test_a_group(read: Read) -> None:
    html = page(
        message(them(BEN, "Ben Stone"), "Hi all", TEN),
        message(me(), "Hello", TEN),
        message(them("", "Ana Prado"), "Me too", TEN),
        message(them(), "Nobody said so", TEN).replace(f"tel:{ANA}", "tel:"),
        group=f"{them(ANA, 'Ana Prado')}, {them(BEN, 'Ben Stone')}",
    )
    *said, nameless = read({"Group Conversation - 2026-11-02T15_04_05Z.html": html})
    first, second, third = sound(said)
    assert (first.sender.value, [one.value for one in first.recipients]) == (BEN, [CLINIC, ANA])
    assert (second.sender.value, [one.value for one in second.recipients]) == (CLINIC, [ANA, BEN])
    assert third.sender.value == ANA
    assert {one.thread_hint for one in (first, second, third)} == {f"{ANA},{BEN}"}
    assert first.medium == "MMSWRIT"
    assert isinstance(nameless, Broken)
    assert "none is named as its sender" in nameless.reason


@pytest.mark.parametrize(
    ("more", "owner", "own"),
    [
        ({}, (), "google_voice:owner"),
        ({}, (Address(AddressKind.PHONE, "+12075550190"),), "+12075550190"),
        ({"../Phones.vcf": PHONES}, (Address(AddressKind.PHONE, "+12075550190"),), CLINIC),
        ({"Phones.vcf": PHONES}, (), CLINIC),
        (
            {f"{BEN} - Text - 2026-11-03T15_04_05Z.html": page(message(me(), "x", TEN))},
            (),
            CLINIC,
        ),
    ],
)
def test_whose_number_it_is_where_the_owner_wrote_nothing(
    read: Read, more: dict[str, str], owner: tuple[Address, ...], own: str
) -> None:
    items = read({TEXT.format(ANA): page(message(them(), "Hi", TEN)), **more}, owner=owner)
    (received,) = [one for one in sound(items) if one.sender.value == ANA]
    assert [one.value for one in received.recipients] == [own]
    assert [one.value for one in received.ours] == ([own] if own == CLINIC else [])


@pytest.mark.parametrize(
    ("html", "reason", "set_aside"),
    [
        (page(message(them(), "buy", TEN), labels=("sms", "spam")), "spam", True),
        (page(message(them(), "x", "yesterday")), "no usable date", False),
        (page(message(them(), "x", "0001-01-01T00:00:00+14:00")), "no usable date", False),
        (page(message(them(), "  ", TEN)), "empty", False),
        (page(message("<cite></cite>", "x", TEN)), "nobody is named", False),
        (page(), "no messages of Google Voice", False),
        (call(labels=("placed",)), "notice of a call", True),
        (call(labels=("missed",)), "notice of a call", True),
        (call(labels=("recorded", "inbox")), "call that was recorded", True),
        (call(labels=("voicemail",)), "notice of a call", True),
        (call("<audio src='a.mp3'></audio>", labels=("voicemail",), tel=""), "the caller", False),
        (call("<audio src='a.mp3'></audio>", labels=("voicemail", "spam")), "spam", True),
    ],
)
def test_what_is_no_message_is_kept_with_the_reason(
    read: Read, html: str, reason: str, set_aside: bool
) -> None:
    (broken,) = read({" - Voicemail - 2026-11-02T15_04_05Z.html": html})
    assert isinstance(broken, Broken)
    assert reason in broken.reason
    assert broken.set_aside == set_aside
    assert broken.content


def test_a_page_that_breaks_off_loses_its_last_message_only(read: Read) -> None:
    html = page(message(them(), "whole", TEN), message(them(), "take 5 mg, not 50", TEN))
    cut = html[: html.index(", not 50")]
    first, second = read({TEXT.format(ANA): cut})
    assert isinstance(first, Message)
    assert isinstance(second, Broken)
    assert "breaks off" in second.reason
    assert b"take 5 mg" in second.content


def test_a_message_that_runs_into_the_next_is_held_alone(read: Read) -> None:
    html = page(message(them(), "take 5", TEN), message(me(), "since when?", TEN))
    first, second = read({TEXT.format(ANA): html.replace("take 5</q>\n</div>", "take 5", 1)})
    assert isinstance(first, Broken)
    assert "damaged" in first.reason
    assert isinstance(second, Message)
    assert (second.text, second.sender.value) == ("since when?", CLINIC)


def test_what_was_in_the_trash_says_so(read: Read) -> None:
    (one,) = sound(
        read({TEXT.format(ANA): page(message(them(), "x", TEN), title="", deleted=True)})
    )
    assert one.notes == ("in the trash of Google Voice",)


def test_a_time_without_a_zone_is_read_as_utc_with_a_note(read: Read) -> None:
    (one,) = sound(read({TEXT.format(ANA): page(message(them(), "x", "2026-11-02T10:04:05.496"))}))
    assert one.sent == datetime(2026, 11, 2, 10, 4, 5, 496_000, UTC)
    assert one.notes == (gaps.NO_ZONE,)


@pytest.mark.parametrize(
    ("source", "on_disk", "found"),
    [
        (f"{ANA} - Text - {AT}-1-1", f"{ANA} - Text - {AT}-1-1.jpg", 1),
        (f"Ana Prado Long - Text - {AT}-1-1", f"Ana Pra - Text - {AT}-1-1.jpg", 1),
        (f"Ana - Text - {AT}-1-1", f"Ben - Text - {AT}-1-1.jpg", 0),
        (f"Ana - Text - {AT}-1-1", f"Ana - Text - {AT}-1-2.jpg", 0),
        ("../../secret", "x.jpg", 0),
    ],
)
def test_a_picture_is_found_under_the_name_that_nearly_is_its(
    read: Read, source: str, on_disk: str, found: int
) -> None:
    html = page(message(them(), "MMS Received", TEN, f'<img src="{source}" alt="Image" />'))
    (one,) = sound(read({TEXT.format(ANA): html, on_disk: b"jpeg"}))
    (file,) = one.attachments
    assert one.text == ""
    assert one.medium == "MMSWRIT"
    if found:
        assert (file.filename, file.content_type) == ("2026-11-02T15-04-05-1.jpg", "image/jpeg")
        assert file.content == b"jpeg"
        assert one.notes == ()
    else:
        assert file.content is None
        assert one.notes == ("a file of it is not beside the export",)


def test_every_kind_of_file(read: Read) -> None:
    stem = f"{ANA} - Text - 2026-11-02T15_04_05Z-1-"
    html = page(
        message(
            them(),
            "all of it",
            TEN,
            f'<img src="{stem}1" />',
            f'<a class="video" href="{stem}2">Video</a>',
            f'<a class="vcard" href="{stem}3">Card</a>',
            f'<audio src="{stem}4"></audio>',
        )
    )
    files = {
        f"{stem}{n}.{suffix}": b"x" for n, suffix in enumerate(("gif", "3gp", "vcf", "amr"), 1)
    }
    (one,) = sound(read({TEXT.format(ANA): html, **files}))
    assert [file.content_type for file in one.attachments] == [
        "image/gif",
        "video/3gpp",
        "text/vcard",
        "audio/amr",
    ]


def test_the_second_page_of_one_name_has_files_of_its_own(read: Read) -> None:
    stem = f"{ANA} - Text - 2026-11-02T15_04_05Z-1-1"
    html = page(message(them(), "", TEN, f'<img src="{stem}" />'))
    items = sound(
        read(
            {
                TEXT.format(ANA): html,
                TEXT.format(ANA).replace(".html", " (1).html"): html.replace("496", "497"),
                f"{stem}.jpg": b"first",
                f"{stem}(1).jpg": b"second",
            }
        )
    )
    assert sorted(str(one.attachments[0].content) for one in items) == ["b'first'", "b'second'"]


def test_a_voicemail_is_what_somebody_said(read: Read) -> None:
    html = call(
        '<span class="description"><span class="full-text">Please call back.</span></span>'
        '<audio controls="controls" src="v.mp3"><a rel="enclosure" href="v.mp3">Audio</a></audio>',
        labels=("voicemail", "inbox"),
        name="Ana Prado",
    )
    (one,) = sound(read({"anything.html": html, "v.mp3": b"mp3", "../Phones.vcf": PHONES}))
    assert (one.sender.value, [each.value for each in one.recipients]) == (ANA, [CLINIC])
    assert (one.text, one.medium, one.thread_hint) == ("Please call back.", "PHONE", ANA)
    assert "heard" in one.notes[0]
    assert one.attachments[0].content == b"mp3"


def test_a_page_is_known_by_its_content(tmp_path: Path) -> None:
    html = page(message(them(), "x", TEN)).encode()
    assert CHANNEL.sniff(html, Path("any"))
    assert CHANNEL.sniff(b"\xef\xbb\xbf\n" + html, Path("any"))
    assert CHANNEL.sniff(call(labels=("missed",)).encode(), Path("any"))
    assert not CHANNEL.sniff(b"From: a@example.org\n\n" + html, Path("mail.eml"))
    assert not CHANNEL.sniff(b'<html><div class="haudio">music</div></html>', Path("a.html"))
    assert not CHANNEL.sniff(b"", tmp_path)
    assert not CHANNEL.sniff(b"", tmp_path / "nowhere")


def test_a_whole_takeout(calls: Path) -> None:
    stem = f"{ANA} - Text - 2026-11-02T15_04_05Z"
    (calls / f"{stem}.html").write_text(page(message(them(), "", TEN, f'<img src="{stem}-1-1" />')))
    for name in (
        f"{stem}-1-1.jpg",
        "orphan.jpg",
        "+12075550111 - Recorded - 2026-11-02T15_04_05Z.mp3",
    ):
        (calls / name).write_bytes(b"bytes")
    (calls / "notes.html").write_text("<html><p>Not of Google Voice</p></html>")
    (calls.parent / "Phones.vcf").write_text(PHONES)
    (calls.parent / "Bills.html").write_text("<html><p>Nothing to pay</p></html>")
    told: list[str] = []
    options = ReadOptions(None, tell=told.append)
    items = list(read_path(calls.parents[1], options=options, channels=(CHANNEL,)))
    (one,) = [item for item in items if isinstance(item, Message)]
    assert one.attachments[0].content == b"bytes"
    assert [one.value for one in one.recipients] == [CLINIC]
    assert sorted(item.source for item in items if isinstance(item, Broken)) == [
        "+12075550111 - Recorded - 2026-11-02T15_04_05Z.mp3",
        "notes.html",
        "orphan.jpg",
    ]
    assert len(told) == 1
    assert "Bills.html" in told[0]


def test_a_takeout_that_is_packed_as_tgz(calls: Path, tmp_path: Path) -> None:
    stem = f"{ANA} - Text - {AT}"
    picture = f'<img src="{stem}-1-1" />'
    (calls / f"{stem}.html").write_text(page(message(them(), "", TEN, picture)))
    (calls / f"{stem}-1-1.jpg").write_bytes(b"bytes")
    (calls.parent / "Phones.vcf").write_text(PHONES)
    packed = tmp_path / "takeout-20261103T100000Z-001.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(calls.parents[1], "Takeout")
    items = list(read_path(packed, options=ReadOptions(None), channels=(CHANNEL,)))
    (one,) = sound(items)
    assert (one.attachments[0].content, one.recipients[0].value) == (b"bytes", CLINIC)


ODD = {
    "html, not xml": ('<?xml version="1.0" ?>\n', ""),
    "no end of an element of the head": ("</head>", "<br></head>"),
    "no end of a break": ("hip", "hip<br>"),
    "a byte that is no text": ("hip", "h\udcffip"),
    "capitals": ("</body></html>", "</BODY></HTML>"),
    "an entity of its own": ("<html", '<!DOCTYPE html [<!ENTITY a "aa">]>\n<html'),
    "a byte order mark": ("<?xml", "\ufeff<?xml"),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_pages_that_are_not_quite_as_they_should_be(read: Read, change: tuple[str, str]) -> None:
    html = page(message(them(), "knee, hip", TEN), message(me(), "since when?", TEN))
    assert change[0] in html
    html = html.replace(*change, 1)
    first, second = sound(read({TEXT.format(ANA): html.encode("utf-8", "surrogateescape")}))
    assert first.text.startswith("knee, h")
    assert first.text.endswith("ip") or first.text == "knee, hip"
    assert second.text == "since when?"
    assert bool(first.notes) == ("\ufffd" in first.text)
