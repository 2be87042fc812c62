"""WhatsApp exports in, messages out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from threadwell.channels.whatsapp import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message, parse_phone

from .conftest import LRM, Read, messages


@pytest.mark.parametrize(
    "header",
    [
        "5/13/24, 3:04\u202fPM - ",
        "5/13/24, 3:04 PM - ",
        "5/13/24, 15:04 - ",
        "[5/13/24, 3:04:00\u202fPM] ",
        f"{LRM}[5/13/24, 15:04:00] {LRM}",
        "[13.05.24, 15:04:00] ",
        "13.05.24, 15:04 - ",
        "13.5.2024 klo 15.04 - ",
        "13/05/2024, 15:04 - ",
        "13/05/2024 15:04 - ",
        "13/5/24, 3:04 p. m. - ",
        "13/5/24, 3:04 p.\u00a0m. - ",
        "13/05/2024 à 15:04 - ",
        "13-05-2024 15:04 - ",
        "2024-05-13, 15:04 - ",
        "[2024-05-13 15:04:00] ",
        "2024/05/13, 3:04 pm - ",
        "2024. 5. 13. 오후 3:04 - ",
        "2024/5/13 下午3:04 - ",
        "13/5/2567 15:04 - ",
        "\u200f١٣\u200f/٥\u200f/٢٠٢٤، ٣:٠٤ م - ",
    ],
)
def test_the_heads_of_many_locales(read: Read, header: str) -> None:
    assert CHANNEL.sniff(f"{header}Ana Prado: Hi".encode(), Path("a.txt"))
    (message,) = messages(read(f"{header}Ana Prado: Hi\n"))
    assert message.sent == datetime(2024, 5, 13, 15, 4, tzinfo=UTC)
    assert message.sender == Address(AddressKind.OTHER, "whatsapp:Ana Prado", "Ana Prado")
    assert (message.text, message.thread_hint, message.notes) == ("Hi", "Ana Prado", ())


@pytest.mark.parametrize(("hour", "expected"), [("12:05 AM", 0), ("12:05 PM", 12), ("1:05 AM", 1)])
def test_midnight_and_noon(read: Read, hour: str, expected: int) -> None:
    (message,) = messages(read(f"5/13/24, {hour} - Ana Prado: Hi\n"))
    assert message.sent.hour == expected


@pytest.mark.parametrize(
    ("dates", "country", "first", "certain"),
    [
        (["03/04/24"], "US", (2024, 3, 4), False),
        (["03/04/24"], "GB", (2024, 4, 3), False),
        (["03/04/24", "03/15/24"], "GB", (2024, 3, 4), True),
        (["03/04/24", "15/04/24"], "US", (2024, 4, 3), True),
        (["11/01/24", "02/02/24"], "US", (2024, 1, 11), True),
        (["03.04.24"], "US", (2024, 4, 3), True),
        (["24.03.04", "24.12.30"], "US", (2024, 3, 4), True),
        (["03/03/24", "05/05/24"], "US", (2024, 3, 3), True),
    ],
)
def test_day_and_month_are_told_by_the_whole_file(
    read: Read, dates: list[str], country: str, first: tuple[int, int, int], certain: bool
) -> None:
    text = "".join(f"{date}, 10:00 - Ana Prado: message of {date}\n" for date in dates)
    message = messages(read(text, country=country))[0]
    assert message.sent == datetime(*first, 10, tzinfo=UTC)
    assert (not message.notes) is certain


def test_lines_that_belong_to_a_message(read: Read) -> None:
    text = (
        "5/13/24, 10:00 - Ana Prado: First\n\n- second: with a colon\n"
        "[5/13/24, 10:01] Ben: pasted from another phone\n"
        "5/13/24, 10:02 - Clinic: Next\n"
    )
    first, second = messages(read(text.replace("\n", "\r\n")))
    assert first.text.splitlines() == [
        "First",
        "",
        "- second: with a colon",
        "[5/13/24, 10:01] Ben: pasted from another phone",
    ]
    assert second.text == "Next"


@pytest.mark.parametrize(
    "line",
    [
        "Messages and calls are end-to-end encrypted. Learn more.",
        "+1 555 123 0111 joined using this group's invite link",
        'Ana Prado created group "Night: shift"',
        'Ana Prado changed the subject from "A: one" to "B: two"',
        "You were added",
        "Your security code with Ana Prado changed. Tap to learn more.",
        f"Ana Prado: {LRM}Missed voice call. {LRM}Tap to call back",
        f"Ana Prado: {LRM}Messages and calls are end-to-end encrypted.",
        f"Ana Prado: {LRM}Voice call, {LRM}2 min",
    ],
)
def test_what_whatsapp_says_about_the_chat_is_no_message(read: Read, line: str) -> None:
    items = read(f"5/13/24, 10:00 - {line}\n5/13/24, 10:01 - Ana Prado: Hi\n")
    assert [message.text for message in messages(items)] == ["Hi"]


def test_a_patient_may_write_what_whatsapp_writes(read: Read) -> None:
    text = "5/13/24, 10:00 - Ana Prado: Missed voice call from you, my fever left\n"
    (message,) = messages(read(text))
    assert message.text == "Missed voice call from you, my fever left"


@pytest.mark.parametrize(
    ("text", "rest", "name", "kind"),
    [
        (f"{LRM}<attached: 7-PHOTO.jpg>", "", "7-PHOTO.jpg", "image/jpeg"),
        (f"My hand {LRM}<attached: 7-PHOTO.jpg>", "My hand", "7-PHOTO.jpg", "image/jpeg"),
        (f"{LRM}<Anhang: 7-PHOTO.jpg>", "", "7-PHOTO.jpg", "image/jpeg"),
        (f"{LRM}<pièce jointe : 7-PHOTO.jpg>", "", "7-PHOTO.jpg", "image/jpeg"),
        (
            f"plan.pdf \u2022 {LRM}3 pages {LRM}<attached: plan.pdf>",
            "",
            "plan.pdf",
            "application/pdf",
        ),
        ("IMG-1.jpg (file attached)\nMy hand", "My hand", "IMG-1.jpg", "image/jpeg"),
        (f"{LRM}PTT-1.opus (archivo adjunto)", "", "PTT-1.opus", "audio/ogg"),
    ],
)
def test_a_file_beside_the_export(
    read: Read, tmp_path: Path, text: str, rest: str, name: str, kind: str
) -> None:
    (tmp_path / name).write_bytes(b"content")
    (message,) = messages(read(f"5/13/24, 10:00 - Ana Prado: {text}\n"))
    (attachment,) = message.attachments
    assert (message.text, attachment.filename, attachment.content_type) == (rest, name, kind)
    assert (attachment.content, message.notes) == (b"content", ())
    export = tmp_path / "WhatsApp Chat with Ana Prado.txt"
    assert list(CHANNEL.companions(export)) == [tmp_path / name]


@pytest.mark.parametrize(
    ("text", "rest", "note"),
    [
        ("<Media omitted>", "", "left out"),
        ("<Multimedia omitido>", "", "left out"),
        (f"{LRM}image omitted", "", "left out"),
        (f"My hand {LRM}image omitted", "My hand", "left out"),
        ("null", "", "left out"),
        ("IMG-1.jpg (file attached)", "", "not beside"),
        (f"{LRM}<attached: 7-PHOTO.jpg>", "", "not beside"),
    ],
)
def test_a_file_that_is_not_there(read: Read, text: str, rest: str, note: str) -> None:
    (message,) = messages(read(f"5/13/24, 10:00 - Ana Prado: {text}\n"))
    assert message.text == rest
    assert message.attachments[0].content is None
    assert note in message.attachments[0].note
    assert note in message.notes[0]


def test_no_name_reaches_out_of_the_folder(read: Read, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    text = f"5/13/24, 10:00 - Ana: {LRM}<attached: ../secret.txt>\n"
    (message,) = messages(read(text, name="chats/_chat.txt"))
    assert message.attachments == ()


@pytest.mark.parametrize(
    ("text", "rest", "note"),
    [
        ("Two a day <This message was edited>", "Two a day", "edited"),
        (f"Two a day {LRM}<This message was edited>", "Two a day", "edited"),
        ("This message was deleted", "This message was deleted", "deleted"),
        (f"{LRM}You deleted this message.", "You deleted this message.", "deleted"),
    ],
)
def test_edited_and_deleted(read: Read, text: str, rest: str, note: str) -> None:
    (message,) = messages(read(f"5/13/24, 10:00 - Ana Prado: {text}\n"))
    assert message.text == rest
    assert note in message.notes[0]
    assert message.taken_back is (note == "deleted")


def test_what_stands_beside_a_deleted_one_is_told(read: Read) -> None:
    day = "5/13/24, 10:0"
    lines = [
        f"{day}0 - Ana Prado: hello",
        f"{day}1 - Ana Prado: my knee",
        f"{day}1 - Clinic: which one?",
        f"{day}1 - Ana Prado: This message was deleted",
        f"{day}1 - Ana Prado: the left one",
        f"{day}2 - Ana Prado: thanks",
    ]
    found = list(messages(read("\n".join(lines) + "\n")))
    deleted = tuple(found[at].external_id for at in (1, 3, 4))
    assert [one.besides for one in found] == [(), deleted, (), deleted, deleted, ()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("+1 (555) 123-0111", "+15551230111"),
        ("~\u202fAna", "whatsapp:~ Ana"),
        ("Clinic", "whatsapp:Clinic"),
        ("You", "whatsapp:Clinic"),
        ("Jose\u0301", "whatsapp:José"),
        ("🤓", "whatsapp:🤓"),
    ],
)
def test_who_a_name_is(read: Read, name: str, value: str) -> None:
    (message,) = messages(read(f"5/13/24, 10:00 - {name}: Hi\n"))
    assert message.sender.value == value


def test_recipients_are_the_others_of_the_chat(read: Read) -> None:
    text = "5/13/24, 10:00 - Ana Prado: Hi\n5/13/24, 10:01 - Ben: Hi\n"
    first, second = messages(read(text, name="WhatsApp Chat with Family.txt"))
    assert [one.value for one in first.recipients] == ["whatsapp:Ben", "whatsapp:Clinic"]
    assert [one.value for one in second.recipients] == ["whatsapp:Ana Prado", "whatsapp:Clinic"]


def test_a_chat_in_which_only_the_practice_wrote(read: Read) -> None:
    (message,) = messages(read("5/13/24, 10:00 - Clinic: Are you well?\n"))
    assert [one.value for one in message.recipients] == ["whatsapp:Ana Prado"]


@pytest.mark.parametrize(
    ("path", "thread"),
    [
        ("WhatsApp Chat with Ana Prado.txt", "Ana Prado"),
        ("WhatsApp Chat with Ana Prado (2).txt", "Ana Prado"),
        ("WhatsApp Chat - Ana Prado/_chat.txt", "Ana Prado"),
        ("WhatsApp-Chat mit Ana Prado.txt", "Ana Prado"),
        ("Chat de WhatsApp con Ana Prado.txt", "Ana Prado"),
        ("Discussion WhatsApp avec Ana Prado.txt", "Ana Prado"),
        ("WhatsApp Chat with +1 555-123-0111.txt", "+15551230111"),
        ("ana.txt", "ana"),
    ],
)
def test_the_thread_is_called_as_the_file(read: Read, path: str, thread: str) -> None:
    (message,) = messages(read("5/13/24, 10:00 - Clinic: Hi\n", name=path))
    assert message.thread_hint == thread


def test_the_hour_that_comes_twice(read: Read) -> None:
    times = ["12:50", "1:10", "1:50", "1:05", "1:55", "2:10"]
    text = "".join(f"11/2/25, {time} AM - Ana Prado: at {time}\n" for time in times)
    later = "11/15/25, 1:00 PM - Ana Prado: better\n"
    items = messages(read(text + later, zone="America/New_York"))[:-1]
    assert [f"{item.sent:%H:%M}" for item in items] == [
        "04:50",
        "05:10",
        "05:50",
        "06:05",
        "06:55",
        "07:10",
    ]
    assert [bool(item.notes) for item in items] == [False, True, True, True, True, False]


def test_the_hour_that_is_skipped(read: Read) -> None:
    (message,) = messages(
        read(
            "3/9/25, 2:30 AM - Ana Prado: awake\n3/15/25, 1:00 AM - Ana Prado: -\n",
            zone="America/New_York",
        )
    )[:1]
    assert message.sent == datetime(2025, 3, 9, 7, 30, tzinfo=UTC)
    assert "skipped" in message.notes[0]


def test_a_longer_export_has_the_same_ids(read: Read) -> None:
    first = "5/13/24, 10:00 - Ana Prado: ok\n5/13/24, 10:00 - Ana Prado: ok\n"
    short = messages(read(first))
    longer = messages(read(first + "5/14/24, 10:00 - Ana Prado: ok\n"))
    exact = messages(read("[5/13/24, 10:00:07] Ana Prado: ok\n[5/13/24, 10:00:31] Ana Prado: ok\n"))
    ids = [one.external_id for one in short]
    assert len(set(ids)) == 2
    assert [one.external_id for one in longer][:2] == ids
    assert [one.external_id for one in exact] == ids


def test_an_export_without_its_files_has_the_same_ids(read: Read) -> None:
    (one,) = messages(read("5/13/24, 10:00 - Ana Prado: IMG-1.jpg (file attached)\nHand\n"))
    (two,) = messages(read("5/13/24, 10:00 - Ana Prado: <Media omitted>\nHand\n"))
    assert one.external_id == two.external_id


@pytest.mark.parametrize(
    ("text", "reason", "content"),
    [
        (
            "5/13/24, 25:00 - Ana Prado: Hi\nthere\n",
            "does not exist",
            "5/13/24, 25:00 - Ana Prado: Hi\nthere\n",
        ),
        ("5/13/24, 10:00 - Ana Prado: \n", "empty", "5/13/24, 10:00 - Ana Prado: \n"),
        ("Dear all,\n5/13/24, 10:00 - You were added\n", "before the first", "Dear all,\n"),
    ],
)
def test_what_cannot_be_read_is_kept(read: Read, text: str, reason: str, content: str) -> None:
    (broken,) = read(text)
    assert isinstance(broken, Broken)
    assert reason in broken.reason
    assert broken.content == content.encode()


def test_a_day_that_does_not_exist_is_kept(read: Read) -> None:
    text = "5/13/24, 10:00 - Ana Prado: Hi\n15/15/24, 10:00 - Ana Prado: Hi\n"
    good, broken = read(text)
    assert isinstance(good, Message)
    assert isinstance(broken, Broken)
    assert broken.source == "WhatsApp Chat with Ana Prado.txt, line 2"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"id,sent,from,text\n",
        b"From ana@example.org Mon May 13",
        b"2024-05-13 10:00:00 INFO a",
        b"\x00\x01\x02",
        b"PK\x03\x04",
        b"Hello\n5/13/24, 10:00 - Ana: Hi",
    ],
)
def test_what_is_no_export(head: bytes) -> None:
    assert not CHANNEL.sniff(head, Path("WhatsApp Chat with Ana.txt"))


def test_an_own_phone_is_known_as_the_practice(read: Read) -> None:
    own = parse_phone("+15551230100", "US")
    assert own is not None
    (message,) = messages(read("5/13/24, 10:00 - +1 555 123 0100: Hi\n", owner=(own,)))
    assert message.sender == own
    assert [one.value for one in message.recipients] == ["whatsapp:Ana Prado"]
