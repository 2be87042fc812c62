"""What WhatsApp says about a chat is known by its place and as a whole, never by a word of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from threadwell.channels.whatsapp import CHANNEL
from threadwell.messages import Broken, Message

from .conftest import LRM, Read, held, messages, said

GROUP = "WhatsApp Chat with Night shift.txt"
FAMILY = "".join(
    f"5/13/24, 10:0{n} - {name}: line {n}\n" for n, name in enumerate(("Ana", "Ben", "Clinic"))
)


@pytest.mark.parametrize(
    "line",
    [
        f"Ana Prado: {LRM}You updated the message timer. New messages will disappear in 7 days.",
        f"Ana Prado: {LRM}Silenced voice call, {LRM}Tap to call back",
        f"Ana Prado: {LRM}Video call, {LRM}5 min",
        f"Ana Prado: {LRM}Voice call. {LRM}No answer",
        f"Ana Prado: {LRM}Ana Prado pinned a message",
        f"Ana Prado: {LRM}This business uses a secure service from Meta to manage this chat.",
        f"Ana Prado: {LRM}Llamada perdida, {LRM}Toca para devolver la llamada",
        f"Ana Prado: {LRM}Gemiste spraakoproep, {LRM}Tik om terug te bellen",
        f"Ana Prado: {LRM}Ana Prado a épinglé un message",
        "Ana Prado hat die Gruppe verlassen",
        "Ana Prado saiu",
        'Ana Prado cambió el asunto de "Cita: lunes" a "Cita: martes"',
        "Your security code with Ana Prado changed. Tap to learn more.",
        "+1 555 123 0199 left",
        "~ Maya was added",
    ],
)
def test_a_known_sentence_in_its_place_is_no_message(read: Read, line: str) -> None:
    items = read(f"5/13/24, 10:00 - {line}\n5/13/24, 10:01 - Ana Prado: Hi\n")
    assert said(items) == ["Ana Prado: Hi"]
    assert held(items) == []


@pytest.mark.parametrize(
    "line",
    [
        f"Ana Prado: {LRM}Lipsește un apel vocal, {LRM}Atinge pentru a suna",
        "Ana Prado vaihtoi ryhmän nimen",
        "Ana Prado schimbă: subiectul",
        "Ana Prado zmienił temat z „Wizyta: środa” na „Wizyta: piątek”",
        "Ana Prado nimesi: ryhmän uudelleen",
        'עידן שינה את הנושא מ-"תור: יום ב" ל-"תור: יום ג"',
        "アナが件名を「予約: 月曜」から「予約: 火曜」に変更しました",
        "Stitches removed today",
        "Carla added her allergies",
    ],
)
def test_a_line_without_a_sender_that_is_no_known_sentence_is_held(read: Read, line: str) -> None:
    dated = f"5/13/24, 10:01 - {line}\n"
    items = read(f"5/13/24, 10:00 - Ana Prado: Hi\n{dated}5/13/24, 10:02 - Clinic: Hello\n")
    assert said(items) == ["Ana Prado: Hi", "Clinic: Hello"]
    assert held(items) == [dated]
    first = items[0]
    assert isinstance(first, Message)
    assert [one.value for one in first.recipients] == ["whatsapp:Clinic"]


@pytest.mark.parametrize("text", ["Missed voice call", "Verpasster Videoanruf", "Llamada perdida"])
def test_a_call_that_an_android_phone_tells_of_is_held(read: Read, text: str) -> None:
    line = f"5/13/24, 10:00 - Ana Prado: {text}\n"
    items = read(f"5/13/24, 9:59 - Ana Prado: Hi\n{line}")
    assert (said(items), held(items)) == (["Ana Prado: Hi"], [line])
    assert [one.set_aside for one in items if isinstance(one, Broken)] == [True]
    asked = f"5/13/24, 10:00 - Ana Prado: {text}, was that you?\n"
    assert held(read(asked)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Stitches removed today",
        "I left my security code list at yours",
        "Is this end-to-end encrypted?",
        "Missed voice call from you",
        "My mother added salt, was added",
        "Ben left",
        "the rash is a contact allergy, blocked this contact lens",
    ],
)
@pytest.mark.parametrize("mark", ["", LRM])
def test_words_of_a_notice_in_a_text_take_nothing_away(read: Read, text: str, mark: str) -> None:
    line = f"5/13/24, 10:00 - Ana Prado: {mark}{text}\n"
    items = read(f"5/13/24, 9:00 - Ana Prado: Hi\n{line}5/13/24, 10:01 - Clinic: ok\n")
    kept = f"Ana Prado: {text}" in said(items) or held(items) == [line]
    assert kept
    if not mark:
        assert held(items) == []


@pytest.mark.parametrize(
    "name", ["Stitches removed today.pdf", "Security code.pdf", "Ben left.jpg"]
)
@pytest.mark.parametrize("form", ["{lrm}<attached: {name}>", "{lrm}{name} (file attached)"])
def test_words_of_a_notice_in_the_name_of_a_file_take_nothing_away(
    read: Read, tmp_path: Path, name: str, form: str
) -> None:
    (tmp_path / name).write_bytes(b"content")
    line = form.format(lrm=LRM, name=name)
    (message,) = messages(read(f"5/13/24, 10:00 - Ana Prado: {line}\n"))
    assert [one.content for one in message.attachments] == [b"content"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Messages and calls are end-to-end encrypted.",
        "Viestit ja puhelut ovat täysin salattuja. Vain tämän keskustelun jäsenet näkevät ne.",
        "Ana created this group",
        "Ben hatte: einen Satz, den niemand kennt",
    ],
)
def test_what_an_iphone_writes_in_the_name_of_a_group_is_no_message(
    read: Read, sentence: str
) -> None:
    text = (
        f"[5/13/24, 10:00:00] Night shift: {LRM}{sentence}\n"
        "[5/13/24, 10:00:10] Ana: Hi\n[5/13/24, 10:00:20] Ben: Hello\n"
        f"[5/13/24, 10:00:30] Night shift: {LRM}{sentence}\n"
        "[5/13/24, 10:00:40] Clinic: Good morning\n"
    )
    for name in ("WhatsApp Chat - Night shift/_chat.txt", "renamed.txt"):
        items = read(text, name=name)
        assert said(items) == ["Ana: Hi", "Ben: Hello", "Clinic: Good morning"]
        assert held(items) == []
        assert [one.thread_hint for one in messages(items)] == ["Night shift"] * 3


def test_the_opening_sentence_of_an_iphone_is_no_message_in_any_language(read: Read) -> None:
    sentence = (
        "Viestit ja puhelut ovat täysin salattuja. Vain tämän keskustelun jäsenet näkevät ne."
    )
    items = read(
        f"[5/13/24, 10:00:00] Ana Prado: {LRM}{sentence}\n[5/13/24, 10:01:00] Clinic: Hi\n"
    )
    assert said(items) == ["Clinic: Hi"]
    assert held(items) == []


def test_somebody_who_is_only_named_in_a_notice_receives_nothing(read: Read) -> None:
    items = read(
        "5/13/24, 9:59 - Ana added Dana\n5/13/24, 9:59 - Dana: was added\n" + FAMILY, name=GROUP
    )
    recipients = {one.value for item in messages(items[1:]) for one in item.recipients}
    assert "whatsapp:Ana added Dana" not in recipients


def test_lines_below_a_notice_are_held(read: Read) -> None:
    items = read(
        f'5/13/24, 9:59 - Ana created group "Night shift"\nof the ward\n{FAMILY}', name=GROUP
    )
    assert len(held(items)) == 1
    assert len(said(items)) == 3


@pytest.mark.parametrize(
    ("text", "rest", "name"),
    [
        ("You received a view once message. For added privacy, open it on your phone.", "", "file"),
        ("You sent a view once photo. For added privacy, open it on your phone.", "", "file"),
        ("Lab.pdf \u2022 \u200e2 pages \u200edocument omitted", "", "Lab.pdf"),
        ("the rash \u200eimage omitted", "the rash", "image"),
        ("\u200econtact card omitted", "", "contact card"),
        ("imagen omitida", "", "image"),
    ],
)
def test_a_file_that_the_phone_kept_is_a_message(
    read: Read, text: str, rest: str, name: str
) -> None:
    mark = "" if LRM in text else LRM
    (message,) = messages(read(f"[5/13/24, 10:00:00] Ana Prado: {mark}{text}\n"))
    (file,) = message.attachments
    assert (message.text, file.filename, file.content) == (rest, name, None)
    assert "was left out of the export" in file.note


@pytest.mark.parametrize(
    "text",
    [
        "Location: https://maps.google.com/?q=43.66,-70.25",
        "Standort: https://maps.google.com/?q=43.66,-70.25",
        "Live location shared",
    ],
)
def test_a_place_is_a_message(read: Read, text: str) -> None:
    (message,) = messages(read(f"[5/13/24, 10:00:00] Ana Prado: {LRM}{text}\n"))
    assert message.text == text


def test_words_that_had_not_come_yet_are_noted(read: Read) -> None:
    text = "Waiting for this message. This may take a while."
    (message,) = messages(read(f"[5/13/24, 10:00:00] Ana Prado: {LRM}{text}\n"))
    assert message.notes == ("it had not come to the phone yet; its words are not in the export",)


@pytest.mark.parametrize("words", ["OPTION", "OPCIÓN", "VAIHTOEHTO", "選択肢"])
def test_the_votes_of_a_poll_are_no_words_of_its_sender(read: Read, words: str) -> None:
    text = (
        f"{LRM}POLL:\nWhich slot?\n{LRM}{words}: Monday (1 vote)\n{LRM}{words}: Never (0 votes)\n"
    )
    (message,) = messages(read(f"{LRM}[5/13/24, 10:00:00] Clinic: {text}\n"))
    assert message.text == f"POLL:\nWhich slot?\n{words}: Monday\n{words}: Never"
    assert message.notes == ("a poll; its answers had been chosen so often: 1, 0",)


@pytest.mark.parametrize(
    "text", ["LIST:\nbread (2 loaves)\nmilk (1 bottle)", "Meds:\nA: one (1 mg)\nA: two (2 mg)"]
)
def test_a_list_is_no_poll(read: Read, text: str) -> None:
    (message,) = messages(read(f"5/13/24, 10:00 - Ana Prado: {text}\n"))
    assert message.text == text


def test_an_edit_is_noted_in_any_language_where_the_phone_marks_it(read: Read) -> None:
    (message,) = messages(
        read(f"[5/13/24, 10:00:00] Ana Prado: Two a day {LRM}<Tätä viestiä muokattiin>\n")
    )
    assert message.text == "Two a day"
    assert "edited" in message.notes[0]


@pytest.mark.parametrize(
    "line",
    [
        "{lrm}<attached: 7-LAB.pdf>",
        "{lrm}<adjunto: 7-LAB.pdf>",
        "{lrm}<pièce jointe\u00a0: 7-LAB.pdf>",
        "{lrm}<附件：7-LAB.pdf>",
        "{lrm}<संलग्न: 7-LAB.pdf>",
        "{lrm}<مرفق: 7-LAB.pdf>",
        "{lrm}<kiambatisho: 7-LAB.pdf>",
        "<attached: 7-LAB.pdf>",
        "7-LAB.pdf (file attached)",
        "{lrm}7-LAB.pdf (soubor byl přiložen)",
        "7-LAB.pdf (файл добавлен)",
        "7-LAB.pdf (faili imeambatishwa)",
    ],
)
def test_a_file_is_named_in_every_language(read: Read, tmp_path: Path, line: str) -> None:
    (tmp_path / "7-LAB.pdf").write_bytes(b"lab")
    text = f"[5/13/24, 10:00:00] Ana Prado: {line.format(lrm=LRM)}\n"
    (message,) = messages(read(text))
    assert [(one.filename, one.content) for one in message.attachments] == [("7-LAB.pdf", b"lab")]
    assert message.text == ""
    export = tmp_path / "WhatsApp Chat with Ana Prado.txt"
    assert list(CHANNEL.companions(export)) == [tmp_path / "7-LAB.pdf"]


@pytest.mark.parametrize("text", ["<see: notes.txt>", "notes.txt (as I said)", "<3", "<not sure>"])
def test_what_a_person_writes_in_brackets_is_text(read: Read, text: str) -> None:
    (message,) = messages(read(f"5/13/24, 10:00 - Ana Prado: {text}\n"))
    assert (message.text, message.attachments) == (text, ())
