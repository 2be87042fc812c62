"""What mail servers say with the numbers of their replies (RFC 5321 §4.2, RFC 3463)."""

from __future__ import annotations

import re

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")
#: By subject and detail of an enhanced code; a subject alone stands for those without a row.
_MEANINGS = {
    "1.1": "there is no such mailbox",
    "1.2": "there is no mail server for the recipient's domain",
    "1.3": "the recipient's address is none",
    "1.6": "the mailbox has moved",
    "1.8": "the sender's domain is not taken",
    "1.10": "the recipient's domain takes no mail",
    "2.1": "the mailbox takes no mail",
    "2.2": "the mailbox is full",
    "2.3": "it is larger than the mailbox takes",
    "3.4": "it is larger than the server takes",
    "4.6": "it goes in circles",
    "4.7": "it could not be delivered in time",
    "7": "a rule of the server forbids it",
    "7.8": "the server does not take user and password",
    "1": "the recipient's address does not work",
    "2": "the mailbox does not work",
    "3": "the server does not work",
    "4": "it does not get there",
    "5": "the servers did not understand each other",
    "6": "the server does not take what is in it",
}
_BY_NUMBER = {
    421: "the server is closing",
    450: "the mailbox is not there at the moment",
    451: "the server cannot do it at the moment",
    452: "the server has no room",
    530: "the server wants user and password, or TLS",
    535: _MEANINGS["7.8"],
    550: "the mailbox is not there, or not for this sender",
    552: "the mailbox is full",
    553: _MEANINGS["1.3"],
}


def code_of(number: int, text: str) -> str:
    """The code of a reply: the enhanced one that its text begins with, else its number."""
    found = _ENHANCED.match(text)
    return found[1] if found and found[1][0] == str(number)[:1] else str(number)


def meaning(code: str) -> str:
    """What a code means in plain words, ``""`` where it is of no known kind."""
    if "." in code:
        _, subject, detail = code.split(".")
        return _MEANINGS.get(f"{subject}.{detail}") or _MEANINGS.get(subject, "")
    return _BY_NUMBER.get(int(code), "") if code.isdigit() else ""
