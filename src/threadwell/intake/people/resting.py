"""A commit that rests on who has some addresses is refused where that has changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.intake.commits.batch import Batch
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.route import address_key
from threadwell.messages import Message

#: Of so many addresses at most a commit looks again who has them: where nobody else seems to
#: write, and where somebody does.
_MOST_ADDRESSES, _MOST_BESIDE = 64, 512


def rest_on_people(
    batch: Batch, people: AddressBook, messages: Iterable[Message], *, beside: bool
) -> None:
    """Let the commit be refused where somebody has got, or lost, an address meanwhile.

    Others seem to write ``beside`` it.
    """
    # Few ways are met, by many messages.
    ways = dict.fromkeys((message.sender, message.recipients) for message in messages)
    met = {address_key(one): one for sender, to in ways for one in (sender, *to)}
    if len(met) <= (_MOST_BESIDE if beside else _MOST_ADDRESSES):
        unmatched, unchanged = people.rested_on(met.values())
        batch.unmatched, batch.unchanged = tuple(unmatched), tuple(unchanged)
