"""Lines with dates that somebody pasted into a message stay in it, or are held: none is lost."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadwell.channels import ReadOptions
from threadwell.channels.whatsapp import CHANNEL
from threadwell.channels.whatsapp.senders import Tally, senders, split_name
from threadwell.messages import Message

from .conftest import CLINIC, Read, held, messages, said

BEFORE = "3/5/24, 8:59 PM - Clinic: How is it?\n"
AFTER = "3/5/24, 9:30 PM - Clinic: Please come in.\n3/20/24, 9:00 AM - Ana Prado: Better\n"
HEAD = "3/5/24, 9:00 PM - Ana Prado: My log:\n"


@pytest.mark.parametrize(
    "log",
    [
        "3/3/24, 8:00 AM - 150/95 before breakfast\n3/4/24, 8:00 AM - 165/100 and chest pain\n",
        "3/3/24, 8:00 AM - BP: 150/95\n3/4/24, 8:00 AM - BP: 165/100\n3/5/24, 8:00 AM - BP: 1\n",
        "3/3/24, 8:00 AM - 150/95: dizzy\n3/5/24, 8:55 PM - 150/95 now\n",
        "3/3/24, 8:00 AM - at 10:30 120/80\n",
        "3/3/24, 8:00 AM - https://example.org/log\n",
        "45/45/24, 8:00 AM - a date that is none\n",
        "25/12/23, 8:00 AM - 150/95\n26/12/23, 8:00 AM - 155/95\n27/12/23, 8:00 AM - 160/95\n",
        "3/3/24, 8:00 AM - Ana Prado left\n",
        "4/3/24, 8:00 AM - physio: bring shoes\n4/4/24, 8:00 AM - surgery\n",
    ],
)
def test_a_log_stays_in_the_message_that_it_was_pasted_into(read: Read, log: str) -> None:
    items = messages(read(BEFORE + HEAD + log + AFTER))
    assert [one.text for one in items] == [
        "How is it?",
        f"My log:\n{log}".rstrip(),
        "Please come in.",
        "Better",
    ]
    assert {one.value for one in items[0].recipients} == {"whatsapp:Ana Prado"}


@pytest.mark.parametrize(
    "line",
    [
        "3/10/24, 9:00 AM - physio\n",
        "3/10/24, 9:00 AM - physio: bring shoes\n",
        "3/10/24, 9:00 AM - Video call with Dr. Weiss\n",
        "3/10/24, 9:00 AM - 120/80 at 10:30\n",
    ],
)
def test_a_line_that_may_be_a_notice_or_pasted_is_held(read: Read, line: str) -> None:
    text = "3/5/24, 9:00 PM - Clinic: Your dates:\n" + line + "3/20/24, 9:00 AM - Ana Prado: ok\n"
    items = read(text)
    assert said(items) == ["Clinic: Your dates:", "Ana Prado: ok"]
    assert held(items) == [line]


@pytest.mark.parametrize("name", ["WhatsApp Chat with Prado family.txt", "renamed.txt"])
def test_a_log_pasted_into_a_group_names_nobody(read: Read, name: str) -> None:
    log = "3/3/24, 8:00 AM - BP: 150/95\n3/4/24, 8:00 AM - BP: 165/100\n"
    ben = "3/5/24, 9:10 PM - Ben Prado: Take care\n"
    items = read(BEFORE + HEAD + log + ben + AFTER, name=name)
    people = {one.split(":")[0] for one in said(items)}
    assert people == {"Clinic", "Ana Prado", "Ben Prado"}
    assert "".join(held(items)) == log


def test_somebody_whose_one_message_came_late_is_not_taken_for_another(read: Read) -> None:
    late = "3/1/24, 9:00 AM - Ben Prado: Sent from the plane\n"
    items = read(BEFORE + HEAD + late + AFTER, name="WhatsApp Chat with Prado family.txt")
    assert "Ben Prado" not in "".join(said(items)[1].split("\n")[0])
    assert held(items) == [late]


LINES = st.lists(
    st.tuples(
        st.integers(1, 28),
        st.integers(0, 23),
        st.sampled_from(["Ana Prado: ", "Clinic: ", "BP: ", "", "\u200e", 'x "a: b" ', "Ben: "]),
        st.sampled_from(["hello", "150/95", "was added", "null", "\u200eBen left", "a: b"]),
        st.sampled_from(["", "\nmore", "\n[1/1/24, 1:00] other: shape"]),
    ),
    min_size=1,
    max_size=12,
)


@given(LINES, st.sampled_from(["WhatsApp Chat with Ana Prado.txt", "other.txt"]))
@settings(max_examples=60)
def test_every_dated_line_is_a_message_a_part_of_one_held_or_a_known_notice(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[int, int, str, str, str]],
    name: str,
) -> None:
    path = tmp_path_factory.mktemp("export") / name
    texts = [f"mark{at} {what}" for at, (*_, what, _) in enumerate(lines)]
    path.write_text(
        "".join(
            f"3/{day}/24, {hour}:00 - {who}{text}{more}\n"
            for (day, hour, who, _, more), text in zip(lines, texts, strict=True)
        )
    )
    items = list(CHANNEL.read(path, ReadOptions(ZoneInfo("UTC"), (CLINIC,))))
    whole = "\n".join(
        f"{item.sender.display} {item.text}" if isinstance(item, Message) else item.content.decode()
        for item in items
    )
    for at in range(len(lines)):
        assert whole.count(f"mark{at} ") == 1


@pytest.mark.parametrize(
    ("rest", "name"),
    [
        ("Ana Prado: hi", "Ana Prado"),
        ("Dr. O'Neil: hi", "Dr. O'Neil"),
        ('Ana "Annie" Prado: hi', 'Ana "Annie" Prado'),
        ('Ana changed the subject from "A: b" to "C: d"', None),
        ("Ana hat den Betreff von „A: b“ zu „C“ geändert", None),
        ("one two three four five six seven eight nine ten eleven: hi", None),
        ("https://example.org", None),
        ("no colon", None),
        (": hi", None),
    ],
)
def test_where_a_name_ends(rest: str, name: str | None) -> None:
    found = split_name(rest)
    assert (found and found.name) == name


def test_the_work_grows_with_the_number_of_names_only() -> None:
    tally = Tally()
    for number in range(20_000):
        tally.add(split_name(f"Person {number} of many: hi"), False)
        tally.when.append(20_000 - number)
    assert senders(tally, [], only=False)


def test_more_people_than_a_chat_can_have_are_held(read: Read) -> None:
    text = "".join(f"3/5/24, 9:00 AM - Person {number}: hi\n" for number in range(2600))
    items = read(text, name="crowd.txt")
    assert "".join(held(items)) == text
