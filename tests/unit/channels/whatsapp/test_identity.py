"""One message has one id, whatever the export is called and however much is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.whatsapp import CHANNEL
from threadwell.messages import Message

from .conftest import CLINIC, LRM, Read, messages

CHAT = (
    "3/5/24, 9:00 AM - Ana Prado: My cough is back\n"
    "3/5/24, 9:05 AM - Clinic: Any fever?\n"
    "3/20/24, 9:05 AM - Ana Prado: No\n"
)
GROUP = (
    "3/5/24, 9:00 AM - Clinic: Good morning\n"
    "3/5/24, 9:01 AM - Ana: Hi\n"
    "3/5/24, 9:02 AM - Clinic: How are you all?\n"
    "3/20/24, 9:02 AM - Ana: Fine\n"
)


@pytest.fixture
def ids(read: Read) -> Callable[..., list[str]]:
    def ids(text: str, *args: object, **more: object) -> list[str]:
        return [one.external_id for one in messages(read(text, *args, **more))]

    return ids


@pytest.mark.parametrize(
    "name",
    [
        "WhatsApp Chat with Ana Prado (1).txt",
        "WhatsApp Chat with Ana Prado(2).txt",
        "WhatsApp Chat with Ana Prado - Copy.txt",
        "WhatsApp Chat with Ana Prado - Copy (3).txt",
        "WhatsApp Chat with Ana Prado - Kopie.txt",
        "WhatsApp Chat with Ana Prado copy 2.txt",
        "Copy of WhatsApp Chat with Ana Prado.txt",
        "WhatsApp Chat with Ana Prado 2.txt",
        "Chat de WhatsApp con Ana Prado.txt",
        "WhatsApp Chat - Ana Prado/_chat.txt",
        "WhatsApp Chat - Ana Prado/_chat (1).txt",
        "mum.txt",
        "_chat.txt",
    ],
)
def test_a_chat_of_two_is_the_same_under_any_name(
    ids: Callable[..., list[str]], read: Read, name: str
) -> None:
    first = messages(read(CHAT))
    again = messages(read(CHAT, name=name))
    assert [one.external_id for one in again] == [one.external_id for one in first]
    assert [one.thread_hint for one in again] == ["Ana Prado"] * 3


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("+1 555-123-0111", "+1 (555) 123-0111"),
        ("Ana_Prado", "Ana/Prado"),
        ("Ana Prado", "Ana Prado 🌼"),
        ("ANA PRADO", "Ana Prado"),
    ],
)
def test_a_file_cannot_be_called_like_everybody(
    ids: Callable[..., list[str]], title: str, name: str
) -> None:
    chat = CHAT.replace("Ana Prado", name)
    assert ids(chat, name=f"WhatsApp Chat with {title}.txt") == ids(chat, name="renamed.txt")


def test_a_chat_in_which_the_practice_has_not_written_yet_is_the_same_later(
    ids: Callable[..., list[str]],
) -> None:
    early = ids(CHAT.splitlines(keepends=True)[0], name="x.txt")
    assert ids(CHAT)[:1] == early
    assert ids(CHAT, owner=())[:1] == ids(CHAT.splitlines(keepends=True)[0], owner=())


def test_whose_phone_it_is_may_be_told_later(ids: Callable[..., list[str]]) -> None:
    assert ids(CHAT, owner=()) == ids(CHAT)


@pytest.mark.parametrize("name", ["WhatsApp Chat with Family (1).txt", "other name.txt"])
def test_a_group_that_has_grown_and_another_name_is_the_same(
    ids: Callable[..., list[str]], name: str
) -> None:
    first = ids(GROUP, name="WhatsApp Chat with Family.txt")
    grown = GROUP + "3/21/24, 9:00 AM - Clinic added Ben\n3/21/24, 9:02 AM - Ben: Hello\n"
    assert ids(grown, name=name)[:4] == first


@pytest.mark.parametrize(
    "notice",
    [
        "3/21/24, 9:00 AM - Clinic added Ben",
        "3/21/24, 9:00 AM - Clinic added Dana, Ben and Eve",
        "3/21/24, 9:00 AM - You added Ben",
        "3/21/24, 9:00 AM - Ben joined using this group's invite link",
        "3/21/24, 9:00 AM - Clinic hat Ben hinzugefügt",
        f"3/21/24, 9:00 AM - Ben: {LRM}Ben was added",
    ],
)
def test_who_came_later_received_nothing_of_what_was_before(read: Read, notice: str) -> None:
    name = "WhatsApp Chat with Family.txt"
    before = messages(read(GROUP, name=name))
    late = f"{notice}\n3/21/24, 9:02 AM - Ben: Hello\n3/21/24, 9:03 AM - Ana: Hi Ben\n"
    after = messages(read(GROUP + late, name=name))
    assert after[:4] == before
    assert [one.value for one in after[4].recipients] == ["whatsapp:Clinic", "whatsapp:Ana"]
    assert [one.value for one in after[5].recipients] == ["whatsapp:Clinic", "whatsapp:Ben"]


def test_who_had_written_before_was_there_before(read: Read) -> None:
    again = "3/21/24, 9:00 AM - Clinic added Ana\n3/21/24, 9:02 AM - Ana: Back\n"
    items = messages(read(GROUP + again, name="WhatsApp Chat with Family.txt"))
    assert [one.value for one in items[0].recipients] == ["whatsapp:Ana"]


def test_an_export_that_begins_later_is_the_same(ids: Callable[..., list[str]]) -> None:
    for chat in (CHAT, GROUP):
        lines = chat.splitlines(keepends=True)
        assert (
            ids("".join(lines[1:]), name="WhatsApp Chat with Ana Prado.txt")
            == (ids(chat, name="WhatsApp Chat with Ana Prado.txt")[1:])
        )


def test_the_same_words_to_several_chats_are_several_messages(
    ids: Callable[..., list[str]],
) -> None:
    everybody = "3/5/24, 9:05 AM - Clinic: We are closed tomorrow\n"
    ana = ids(f"3/5/24, 9:00 AM - Ana: Hi\n{everybody}", name="WhatsApp Chat with Ana.txt")[1]
    ben = ids(f"3/5/24, 9:00 AM - Ben: Hi\n{everybody}", name="WhatsApp Chat with Ben.txt")[1]
    silent = ids(everybody, name="WhatsApp Chat with Carla.txt")[0]
    group = ids(
        f"3/5/24, 9:00 AM - Carla: Hi\n3/5/24, 9:01 AM - Dana: Hi\n{everybody}",
        name="WhatsApp Chat with Family.txt",
    )[2]
    assert len({ana, ben, silent, group}) == 4
    assert silent == ids(everybody + "3/5/24, 9:09 AM - Carla: ok\n", name="c.txt")[0]


def test_the_same_words_of_a_patient_in_a_group_and_to_the_practice_are_two(
    ids: Callable[..., list[str]],
) -> None:
    alone = ids("3/5/24, 9:00 AM - Ana: ok\n", name="WhatsApp Chat with Ana.txt")
    group = ids("3/5/24, 9:00 AM - Ana: ok\n3/5/24, 9:01 AM - Ben: ok\n", name="Family.txt")
    assert alone[0] != group[0]


def test_a_vote_does_not_make_another_message(read: Read) -> None:
    def poll(votes: str) -> Message:
        text = f"{LRM}POLL:\nWhich?\n{LRM}OPTION: Monday ({votes})\n{LRM}OPTION: No (0 votes)\n"
        return messages(read(f"[3/5/24, 9:00:00] Clinic: {text}"))[0]

    before, after = poll("0 votes"), poll("1 vote")
    assert before.external_id == after.external_id
    assert before.text == after.text


@pytest.mark.parametrize(
    ("with_files", "without"),
    [
        ("IMG-20240305-WA0001.jpg (file attached)", "<Media omitted>"),
        ("IMG-20240305-WA0001.jpg (file attached)\nMy hand", "<Media omitted>\nMy hand"),
        ("DOC-20240305-WA0001.pdf (file attached)\nlab.pdf", "<Media omitted>\nlab.pdf"),
        ("lab.pdf (Datei angehängt)", "<Medien ausgeschlossen>\nlab.pdf"),
        ("IMG-20240305-WA0001.jpg (file attached)", "<Kuvatiedosto puuttuu>"),
        (f"{LRM}<attached: 1-PHOTO.jpg>", f"{LRM}image omitted"),
        (f"My hand {LRM}<attached: 1-PHOTO.jpg>", f"My hand {LRM}image omitted"),
        (
            f"lab.pdf \u2022 {LRM}2 pages {LRM}<attached: 2-lab.pdf>",
            f"lab.pdf \u2022 {LRM}2 pages {LRM}document omitted",
        ),
        ("@\u2068Ana\u2069 see", "@Ana see"),
    ],
)
def test_an_export_without_its_files_has_the_same_ids(
    ids: Callable[..., list[str]], with_files: str, without: str
) -> None:
    head = "3/5/24, 9:00 AM - Ana Prado: "
    after = "\n3/5/24, 9:00 AM - Ana Prado: second\n"
    assert ids(head + with_files + after) == ids(head + without + after)


def test_equal_messages_of_one_minute_are_as_many(ids: Callable[..., list[str]]) -> None:
    text = "3/5/24, 9:00 AM - Ana Prado: ok\n" * 3
    photos = "3/5/24, 9:00 AM - Ana Prado: <Media omitted>\n" * 2
    both = ids(text + photos)
    assert len(set(both)) == 5
    named = "".join(
        f"3/5/24, 9:00 AM - Ana Prado: IMG-20240305-WA000{n}.jpg (file attached)\n" for n in (1, 2)
    )
    assert ids(text + named) == both


def test_two_groups_whose_names_end_in_numbers_are_two(tmp_path: Path) -> None:
    for number, first in ((1, "Ana"), (2, "Ben")):
        text = f"3/5/24, 9:00 AM - {first}: Hi\n3/5/24, 9:01 AM - Carla: Hi\n"
        (tmp_path / f"WhatsApp Chat with Shift{'' if number == 1 else ' 2'}.txt").write_text(text)
    options = ReadOptions(ZoneInfo("UTC"), (CLINIC,))
    threads = {
        item.thread_hint
        for path in tmp_path.iterdir()
        for item in CHANNEL.read(path, options)
        if isinstance(item, Message)
    }
    assert threads == {"Shift", "Shift 2"}
