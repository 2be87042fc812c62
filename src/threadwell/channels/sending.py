"""What a channel needs to send: a message that was written here, and what came of it. Pure.

A channel says which call has to be made (or which mail handed over), and what its answer means;
whoever sends makes the calls, and keeps what came of them. A message is sent once: where nobody can
tell whether a call has sent it, that is said, and it is asked before anything else is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from threadwell.calls.call import Call, Called
from threadwell.calls.submission import Submission
from threadwell.channels.account import Account
from threadwell.messages import Address, Attachment

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message that was written here, and is to be sent.

    ``external_id`` is the one that it has here. ``own`` is the practice's address from which it
    goes to ``recipients``, ``thread`` the channel's own thread. ``files`` are URLs under which the
    provider can fetch what is attached, for an hour at least. ``hook`` is where it tells what has
    become of the message, ``""`` where nothing is known of that. ``answers`` is the external id
    of the message that it answers, ``references`` are those of all that it follows, the oldest
    first. ``written`` is when it was written, ``since`` when it was tried first. ``attached`` are
    its files themselves, for a channel that sends these (``Live.attaches``). ``token`` tells an
    answer to it by the address to which that is sent. It is ``automatic`` where no person has
    written it at that moment: other machines are to know.
    """

    external_id: str
    own: Address
    recipients: tuple[Address, ...]
    thread: str
    text: str
    since: datetime
    files: tuple[str, ...] = ()
    hook: str = ""
    answers: str = ""
    subject: str = ""
    references: tuple[str, ...] = ()
    written: datetime | None = None
    attached: tuple[Attachment, ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may have: so many ``characters``, 0 for any number, and so many ``files``.

    These have so many bytes ``together``. Beside a file the text has as many characters as a
    ``caption``, where that is another number.
    """

    characters: int = 0
    files: int = 0
    together: int = 0
    caption: int = 0

    def exceeded(self, text: str, sizes: Sequence[int]) -> str:
        """Why a text with files of those sizes is more, as a short sentence; ``""`` if not."""
        most = self.caption if sizes and self.caption else self.characters
        if most and len(text) > most:
            return f"it has {len(text):,} characters, and may have {most:,}"
        if sizes and not self.files:
            return "no file can be sent in this thread"
        if len(sizes) > self.files:
            return f"it has {len(sizes)} files, and may have {self.files}"
        if sum(sizes) > self.together:
            return f"its files have more than {self.together // _MB} MB together"
        return ""

    @property
    def told(self) -> str:
        """Which files may go with a message, for who writes one; ``""`` where none may."""
        if not self.files:
            return ""
        number = "One file" if self.files == 1 else f"Up to {self.files} files"
        return f"{number}, {self.together // _MB} MB at most"


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has it, and calls it ``external_id``.

    ``on_its_way`` says that nothing more has to be done for it to be where it is read. ``refused``
    are recipients to whom it does not go all the same, each with the provider's code.
    """

    external_id: str
    on_its_way: bool = False
    refused: tuple[tuple[Address, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """It was not sent, and may be later; ``seconds`` is what the provider asks to wait, if it does.

    ``doubtful`` says that nobody can tell whether it was sent. ``reason`` is a short sentence
    without any content, and ``code`` the provider's own.
    """

    reason: str
    code: str = ""
    seconds: float = 0.0
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not sent, and will not be, as things are; ``reason`` and ``code`` as in ``Later``."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The ids, the oldest first, of messages of the provider's that say the same since then.

    It is one of these, if it was sent at all.
    """

    external_ids: tuple[str, ...]


#: The next step to send a message, given the account and the answer to the call before. After a
#: mail was submitted there is none: what became of it follows from what the mail server said.
Sending: TypeAlias = Callable[
    [Outbound, Account, Called | None], Call | Submission | Sent | Later | Failed
]
#: What a message in a thread of the channel's own may have.
Limiting: TypeAlias = Callable[[str], Limits]
#: The next step to find out whether it was sent.
Asking: TypeAlias = Callable[[Outbound, Account, Called | None], Call | Found | Later]
