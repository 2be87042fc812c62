"""What Twilio calls a message: the same in a webhook, in the answer to a send, and in a log."""

from __future__ import annotations

import re

from threadwell.channels.account import Account

NAME = "twilio"

#: ``SM`` of a text, ``MM`` of one with media: each is given once, and never changes.
_MESSAGE = re.compile(r"(SM|MM)([0-9a-f]{32})", re.IGNORECASE)
#: A message of a conversation has an id of its own there, beside those of its texts.
_OF_CONVERSATION = re.compile(r"(?:IM|CH)[0-9a-f]{32}", re.IGNORECASE)
#: An account, or a part of one that has its own.
_ACCOUNT = re.compile(r"AC[0-9a-f]{32}", re.IGNORECASE)


def parse_account(text: str) -> str:
    """The id of an account, in its one spelling; ``""`` where ``text`` is none."""
    text = text.strip()
    return text[:2].upper() + text[2:].lower() if _ACCOUNT.fullmatch(text) else ""


def source_of(account: Account) -> str:
    """What tells the messages of an account from those of another one."""
    return parse_account(account.value("account_sid")) or account.name


def parse_message_id(text: str) -> str:
    """The id of a message, in its one spelling; ``""`` where ``text`` is none."""
    found = _MESSAGE.fullmatch(text.strip())
    return found[1].upper() + found[2].lower() if found else ""


def conversation_id(text: str) -> str:
    """The id of a conversation or of a message in one, in its one spelling; ``""`` for others."""
    text = text.strip()
    return text[:2].upper() + text[2:].lower() if _OF_CONVERSATION.fullmatch(text) else ""


def is_of_conversation(text: str) -> bool:
    """Whether it is the id of a conversation, or of a message in one."""
    return _OF_CONVERSATION.fullmatch(text.strip()) is not None


def is_multimedia(message_id: str) -> bool:
    """Whether a message was sent as MMS."""
    return message_id.startswith("MM")
