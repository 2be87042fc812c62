"""Who is behind an id of Slack's, and who wrote a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from threadwell.channels.slack.workspace import NAME
from threadwell.messages import Address, AddressKind, parse_address, parse_email

BY_APP = "written by an app"
IN_NAME_OF = "written by an app in the name of this address"

_PROFILE_NAMES = ("real_name", "display_name")


@dataclass(slots=True)
class Senders:
    """The people of a workspace by their ids, as its list has them.

    A person with a mail address is that address, wherever else it is met; anybody else
    ``slack:<id>``.
    """

    people: Mapping[str, Mapping[str, Any]]
    country: str
    _known: dict[str, Address] = field(default_factory=dict)

    def address(self, id_: str, profile: object = None) -> Address:
        """The address of somebody; ``profile`` is what a record of theirs says of them."""
        found = self._known.get(id_)
        if found is None or (not found.display and profile):
            found = self._known[id_] = self._address(id_, profile)
        return found

    def name(self, id_: str) -> str:
        """What somebody is called; their id where nobody says."""
        return self.address(id_).display or id_

    def of(self, record: Mapping[str, Any]) -> tuple[Address, str] | None:
        """Who wrote a record, with a note of how; ``None`` where nobody is named."""
        user, bot = _text(record.get("user")), _text(record.get("bot_id"))
        if not bot and record.get("subtype") != "bot_message":
            if not user:
                return None
            return self.address(user, record.get("user_profile")), ""
        name = _text(record.get("username"))
        stated = parse_address(name, self.country) if name else None
        # A bridge writes what came by text message in the name of the number it came from.
        if stated and (stated.kind is AddressKind.EMAIL or stated.value.startswith("+")):
            return stated, IN_NAME_OF
        if user:
            return self.address(user, record.get("user_profile")), BY_APP
        if not bot and not name:
            return None
        parts = ":".join(filter(None, (bot or "app", name)))
        return Address(AddressKind.OTHER, f"{NAME}:{parts}", name), BY_APP

    def _address(self, id_: str, profile: object) -> Address:
        person = self.people.get(id_, {})
        own = person.get("profile")
        known: Mapping[str, Any] = own if isinstance(own, dict) else {}
        stated: Mapping[str, Any] = profile if isinstance(profile, dict) else {}
        names = [
            *(_text(one.get(key)) for one in (known, stated) for key in _PROFILE_NAMES),
            _text(person.get("real_name")),
            *(_text(one.get("name")) for one in (person, stated)),
        ]
        display = next(filter(None, names), "")
        mail = parse_email(_text(known.get("email"))) or parse_email(_text(stated.get("email")))
        if mail is not None:
            return mail._replace(display=display)
        return Address(AddressKind.OTHER, f"{NAME}:{id_}", display)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
