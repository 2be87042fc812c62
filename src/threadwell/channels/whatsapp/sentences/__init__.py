"""The sentences that WhatsApp itself writes into an export, in the languages that we have met.

``{who}`` stands for somebody of the chat, ``{joiner}`` for somebody of it who comes to it,
``{new}`` for the names of those who do, ``{}`` for anything. All in small letters and without a
full stop at the end. A sentence that is missing costs a line in quarantine and nothing else: what
is no sentence of these is never taken for one.
"""

from __future__ import annotations

from threadwell.channels.whatsapp.sentences import (
    dutch,
    english,
    french,
    german,
    italian,
    portuguese,
    spanish,
)

_LANGUAGES = (english, spanish, german, french, portuguese, italian, dutch)

SENTENCES = tuple(line for one in _LANGUAGES for line in one.LINES.strip().splitlines())

#: Of calls, which Android writes in the name of who called, and without its mark.
CALLS = frozenset(line for line in SENTENCES if f"{line}, {{}}" in SENTENCES)
