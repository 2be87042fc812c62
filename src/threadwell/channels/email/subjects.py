"""Subjects of mails that answer others."""

from __future__ import annotations

import re

#: "Re" as programs write it in their languages.
ANSWERS = re.compile(
    r"(?:re|aw|antw|antwort|sv|vs|rv|rif|r|res|resp|odp|ynt|vá|atb|απ|σχετ|ответ|відп|回复|回覆|答复"
    r"|答覆|返信|답장|회신|رد|הב|תשובה|trả lời|bls|balas)\s?(?:[\[(]\d+[\])])?\s?[:：]",
    re.IGNORECASE,
)
_MOST_MARKS = 20


def answering(subject: str) -> str:
    """The subject of an answer: with one ``Re:``, however many there were."""
    rest = " ".join(subject.split())
    for _ in range(_MOST_MARKS):
        found = ANSWERS.match(rest)
        if not found:
            break
        rest = rest[found.end() :].lstrip()
    return f"Re: {rest}" if rest else "Re:"
