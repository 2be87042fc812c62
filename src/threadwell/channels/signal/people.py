"""Who takes part: the people and groups of an export, and its chats.

Their numbers are those of this one export. What stays is the id of an account (ACI), the secret of
a group, and, where it is shown, a phone number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from threadwell.channels.channel import ReadOptions
from threadwell.channels.presence import Presence
from threadwell.channels.signal.frames import Values, aci_of, listed, name_of, number, text, values
from threadwell.messages import Address, AddressKind, parse_phone

NAME = "signal"
_NAMES = (
    ("systemGivenName", "systemFamilyName"),
    ("profileGivenName", "profileFamilyName"),
)
_NUMBERS = ("e164", "phoneNumber", "number")
#: What comes from Signal itself, or goes to nobody in particular.
_NO_CARE = {
    "releaseNotes": "a notice of Signal itself",
    "distributionList": "a story",
    "callLink": "the notice of a call",
}
_CAME = {"groupMemberAddedUpdate": "newMemberAci", "groupMemberJoinedUpdate": "newMemberAci"}
_WENT = {"groupMemberRemovedUpdate": "removedAci", "groupMemberLeftUpdate": "aci"}


class Person(NamedTuple):
    """Somebody: what stays of them, and their address."""

    key: str
    address: Address


@dataclass(slots=True)
class Party:
    """A recipient of the export: the owner, a person, a group, or what is no care at all."""

    is_owner: bool = False
    person: Person | None = None
    group: str = ""
    members: Presence[int] | None = None
    no_care: str = ""


@dataclass(slots=True)
class Directory:
    """All parties and chats by the numbers of this export."""

    options: ReadOptions
    parties: dict[str, Party] = field(default_factory=dict)
    chats: dict[str, str] = field(default_factory=dict)
    own_number: Address | None = None
    _by_aci: dict[str, Person] = field(default_factory=dict)
    _groups: list[tuple[Party, Values]] = field(default_factory=list)
    _moves: list[tuple[str, int, str, bool]] = field(default_factory=list)

    def learn(self, frame: Values) -> None:
        """Take in a frame that is no message, or one that tells who came to a group or left it."""
        if account := values(frame, "account"):
            self.own_number = self.own_number or self._number(account)
        elif recipient := values(frame, "recipient"):
            self._learn_recipient(recipient)
        elif chat := values(frame, "chat"):
            self.chats[name_of(chat, "id")] = name_of(chat, "recipientId")
        elif item := values(frame, "chatItem"):
            change = values(values(item, "updateMessage"), "groupChange")
            for update in listed(change, "updates"):
                self._learn_move(name_of(item, "chatId"), number(item, "dateSent"), update)

    def complete(self) -> None:
        """Put the groups together, once everybody is known."""
        for party, group in self._groups:
            members = Presence[int]()
            for member in listed(values(group, "snapshot"), "members"):
                aci = aci_of(member, "userId")
                # Who is in a group and has no frame of their own is the owner.
                if aci in self._by_aci:
                    members.people[aci] = self._by_aci[aci].address
            party.members = members
        for chat, at, aci, came in self._moves:
            group_ = self.parties.get(self.chats.get(chat, ""))
            if group_ is not None and group_.members is not None and aci in self._by_aci:
                group_.members.people.setdefault(aci, self._by_aci[aci].address)
                group_.members.move(at, aci, came=came)

    def party(self, chat: str) -> Party | None:
        """With whom a chat is."""
        return self.parties.get(self.chats.get(chat, ""))

    def own(self) -> tuple[Address, bool]:
        """The owner's address, and whether the export itself says so."""
        if self.own_number is not None:
            return self.own_number, True
        own = self.options.owner
        chat = (one for one in own if one.value.startswith(f"{NAME}:"))
        phones = (one for one in own if one.kind is AddressKind.PHONE)
        told = next(chat, None) or next(phones, None) or next(iter(own), None)
        return told or Address(AddressKind.OTHER, f"{NAME}:owner"), False

    def named(self, aci: str) -> str:
        """What a mention of somebody is called: what is stable of them, as names change."""
        person = self._by_aci.get(aci)
        return person.address.value if person else ""

    def _learn_recipient(self, recipient: Values) -> None:
        party = Party(is_owner="self" in recipient)
        if party.is_owner:
            self.own_number = self.own_number or self._number(values(recipient, "self"))
        elif contact := values(recipient, "contact"):
            party.person = self._person(contact)
            if party.person is not None and (aci := aci_of(contact, "aci")):
                self._by_aci[aci] = party.person
        elif group := values(recipient, "group"):
            secret = text(group, "masterKey") or name_of(recipient, "id")
            party.group = f"group:{sha256(secret.encode()).hexdigest()[:24]}"
            self._groups.append((party, group))
        else:
            party.no_care = next((why for kind, why in _NO_CARE.items() if kind in recipient), "")
        self.parties[name_of(recipient, "id")] = party

    def _learn_move(self, chat: str, at: int, update: Values) -> None:
        for moves, came in ((_CAME, True), (_WENT, False)):
            for kind, member in moves.items():
                if aci := aci_of(values(update, kind), member):
                    self._moves.append((chat, at, aci, came))

    def _person(self, contact: Values) -> Person | None:
        """A person by their number where it is shown, as patients are known by it; else their id.

        Names are what people gave themselves or others: nobody is known by one.
        """
        name = _shown(contact)
        phone, aci = self._number(contact), aci_of(contact, "aci")
        if aci or phone is None:
            key = aci or text(contact, "pni") or text(contact, "username")
        else:
            key = phone.value
        if not key:
            return None
        address = phone or Address(AddressKind.OTHER, f"{NAME}:{key}")
        return Person(key, address._replace(display=name))

    def _number(self, holder: Values) -> Address | None:
        written = next(filter(None, (name_of(holder, name) for name in _NUMBERS)), "")
        return parse_phone(f"+{written.lstrip('+')}", self.options.country) if written else None


def _shown(contact: Values) -> str:
    nickname = values(contact, "nickname")
    pairs = [(text(nickname, "given"), text(nickname, "family"))]
    pairs += [(text(contact, given), text(contact, family)) for given, family in _NAMES]
    shown = (" ".join(filter(None, pair)) for pair in pairs)
    return next(filter(None, shown), text(contact, "username"))
