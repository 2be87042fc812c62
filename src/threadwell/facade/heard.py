"""Accounts at providers, for messages as they come, as plain method calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from threadwell.facade.administering import administers
from threadwell.facade.wanted import several
from threadwell.facade.whom import Whom

if TYPE_CHECKING:
    from threadwell.channels.account import Account
    from threadwell.intake.arrivals.depth import JournalDepth
    from threadwell.intake.arrivals.stuck import Stuck


class Heard(Whom):
    """What a practice has at its providers. Secrets go in, and never come out again."""

    @administers("account add", "name", "channel", "addresses", "hosts")
    def add_account(
        self,
        name: str,
        channel: str,
        values: Mapping[str, str],
        *,
        addresses: str | Sequence[str] = (),
        hosts: str | Sequence[str] = (),
        url: str = "",
    ) -> Account:
        """Set up an account, in the place of another of that name.

        For example::

            tw.add_account("front-desk", "twilio", {"account_sid": sid, "auth_token": token},
                           addresses="+12125550100")

        Its provider is then to call ``/hooks/NAME`` of the server; ``url`` is what it was told
        where that is another one. ``addresses`` are the practice's own there. ``hosts`` may be
        called, and given the credentials, though they are in a private network. Raises
        ``threadwell.intake.BadSetting``.
        """
        from threadwell.app import checked_url, live_channels
        from threadwell.channels.account import Account
        from threadwell.intake.accounts import checked, keep_account
        from threadwell.intake.bad_setting import BadSetting
        from threadwell.intake.country import care_country
        from threadwell.messages import parse_address

        country = self._loop.call(care_country(self._store))
        own = []
        for text in several(addresses):
            address = parse_address(text, country)
            if address is None:
                raise BadSetting(f"{text!r} is no phone number or mail address")
            own.append(address)
        url = url and checked_url(url, "the URL of the account")
        account = Account(name, channel, tuple(own), dict(values), several(hosts), url)
        account = checked(account, live_channels())
        self._loop.call(keep_account(self._store, self._project, account))
        return account

    def accounts(self) -> list[Account]:
        """The accounts there are, by name: ``[a.name for a in tw.accounts()]``.

        Their values are in them, and in no ``repr``.
        """
        from threadwell.intake.accounts import accounts

        return self._loop.call(accounts(self._store, self._project))

    def stuck_deliveries(self) -> list[Stuck]:
        """What was delivered and cannot be taken in: ``[s.told.reason for s in …]``.

        They are whole, and wait for a decision. Others do not wait for them.
        """
        from threadwell.intake.arrivals.stuck import stuck_deliveries

        return self._loop.call(stuck_deliveries(self._store, self._project))

    def journal_depth(self) -> JournalDepth:
        """What was delivered and is not taken in yet: ``tw.journal_depth().count``."""
        from threadwell.intake.arrivals.depth import journal_depth

        return self._loop.call(journal_depth(self._store, self._project))

    @administers("deliveries replay", "id_")
    def replay_delivery(self, id_: str) -> None:
        """Take one in after all: ``tw.replay_delivery(tw.stuck_deliveries()[0].id)``.

        The duty ``journal`` does so at once. Raises ``LookupError``.
        """
        from threadwell.intake.arrivals.stuck import replay_delivery

        self._loop.call(replay_delivery(self._store, self._project, id_))

    @administers("deliveries drop", "id_")
    def drop_delivery(self, id_: str) -> None:
        """Let one be gone for good: ``tw.drop_delivery(tw.stuck_deliveries()[0].id)``.

        Raises ``LookupError``.
        """
        from threadwell.intake.arrivals.stuck import drop_delivery

        self._loop.call(drop_delivery(self._store, self._project, id_))

    @administers("account token", "name", "who")
    def chat_token(self, name: str, who: str, *, minutes: int = 60, display: str = "") -> str:
        """A token for the app of a patient, as the practice's backend makes them.

        For example ``tw.chat_token("app", "patient-0017")``; ``who`` is their id in the app.
        Raises ``threadwell.intake.BadSetting`` where there can be none.
        """
        from datetime import UTC, datetime

        from threadwell.channels.chat.tokens import new_token
        from threadwell.intake.accounts import find_account
        from threadwell.intake.bad_setting import BadSetting

        account = self._loop.call(find_account(self._store, self._project, name))
        if account is None or account.channel != "chat":
            raise BadSetting(f"{name} is no account of an app")
        try:
            return new_token(account, who, datetime.now(UTC), minutes * 60, display)
        except ValueError as error:
            raise BadSetting(str(error)) from None

    @administers("account remove", "name")
    def remove_account(self, name: str) -> None:
        """Forget an account and its secrets: ``tw.remove_account("front-desk")``.

        A running server refuses its deliveries within a second. Raises ``LookupError`` where there
        is none of that name.
        """
        from threadwell.intake.accounts import remove_account

        if not self._loop.call(remove_account(self._store, self._project, name)):
            raise LookupError(f"there is no account {name}")
