"""The id of a message, made of what every export of it says alike.

WhatsApp exports no ids. See README.md for what is stable, and what is not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from threadwell.channels.whatsapp.body import Body, stable_words
from threadwell.channels.whatsapp.participants import address_of
from threadwell.channels.whatsapp.survey import Survey


@dataclass(slots=True)
class Identities:
    """Makes the ids of one export, whose messages it has to be asked for in their order.

    ``heard`` is who wrote last, and who of the others did before; ``seen`` counts messages that are
    alike.
    """

    survey: Survey
    country: str
    heard: tuple[str, str] = ("", "")
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def of(self, name: str, wall: datetime, body: Body) -> str:
        """The id of the next message.

        Only the minute counts, as Android writes no seconds: by the clock on the wall, and not the
        instant, which may be learned better. Messages of one minute that are alike are told apart
        by their sequence.
        """
        words, files = stable_words(body)
        sender = self.survey.participants.by_name[name].key[1]
        minute = wall.isoformat(" ", "minutes")
        identity = (self._chat(name), minute, sender, words, str(files))
        self.seen[identity] += 1
        if name not in self.survey.own and name != self.heard[0]:
            self.heard = (name, self.heard[0])
        unique = "\x1f".join((*identity, str(self.seen[identity])))
        return sha256(unique.encode("utf-8", "replace")).hexdigest()[:32]

    def _chat(self, name: str) -> str:
        """What of the chat tells a message from one with the same words in another chat.

        A practice writes the same to many at once, its patients to the practice alone. A chat of
        two is its other side, whatever the file is called; a group, which grows and gets other
        names, is to the practice whom it heard last in it.
        """
        survey = self.survey
        if survey.other is not None:
            return "" if name == survey.other else self._value(survey.other)
        if survey.own and name not in survey.own:
            return "group"
        last = next((one for one in self.heard if one not in ("", name)), "")
        others = (one for one in survey.participants.by_name if one not in (name, *survey.own))
        return self._value(last or next(others, survey.title))

    def _value(self, name: str) -> str:
        known = self.survey.participants.by_name.get(name)
        return (known or address_of(name, self.country)).key[1]
