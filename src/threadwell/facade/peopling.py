"""People's accounts: invited, listed, shut, and signed out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from threadwell.app import DEFAULT_BASE_URL, checked_url
from threadwell.facade.administering import administers
from threadwell.facade.admitting import Admitting
from threadwell.fhir.stamp import now_ms

if TYPE_CHECKING:
    from threadwell.users.browsers import SignIn
    from threadwell.users.inviting import Invited
    from threadwell.users.user import Member, User


class Peopling(Admitting):
    """Keeps the accounts of people."""

    @property
    def project(self) -> str:
        """The id of the project: ``tw.user("robin@example.org").member(tw.project).profile``."""
        return self._project

    @administers("user invite", "email", "profile", "policy", "parameters", "admin", "patient")
    def invite(
        self,
        email: str,
        *,
        first: str = "",
        last: str = "",
        type: str = "Practitioner",
        profile: str = "",
        policy: str = "",
        parameters: Mapping[str, str] | None = None,
        admin: bool = False,
        patient: str = "",
    ) -> Invited:
        """An account for somebody; the answer has the link by which they set a password.

        For example::

            invited = tw.invite("robin@example.org", profile="Practitioner/123",
                                policy="participant")
            print(tw.password_url(invited.link))

        They act as ``profile`` (``Practitioner/…``, ``Patient/…``, ``RelatedPerson/…``); without
        it as the one that has the e-mail address, or a new one of that ``type`` with the names.
        ``policy`` is an AccessPolicy or a role, as in ``give_policy``. Without one a Practitioner
        may do everything, a Patient gets the role ``patient``, and a RelatedPerson ``proxy``.
        ``admin`` may register clients and invite others. Raises ``BadUser``, ``BadPolicy``, and
        ``AlreadyMember``.
        """
        from threadwell.users.inviting import Invitation, invite

        asked = Invitation(
            *(email, first, last, type, profile, policy, dict(parameters or {})),
            admin=admin,
            patient=patient,
        )
        made = invite(self._store, self._project, asked, author="", clock=now_ms)
        return self._loop.call(made)

    def users(self) -> list[User]:
        """The accounts there are, by e-mail address: ``[u.email for u in tw.users()]``."""
        from threadwell.users.keeping import users

        return self._loop.call(users(self._store, self._project))

    def user(self, email: str) -> User:
        """The account with that e-mail address: ``tw.user("robin@example.org").state``.

        Raises ``LookupError`` where there is none.
        """
        from threadwell.users.keeping import user_of
        from threadwell.users.user import parse_account_email

        found = self._loop.call(user_of(self._store, parse_account_email(email)))
        if found is None or found.member(self._project) is None:
            raise LookupError(f"there is no account with the e-mail address {email}")
        return found

    @administers("user password", "email")
    def set_user_password(self, email: str, password: str) -> None:
        """Set somebody's password; they are signed out everywhere. Raises ``BadPassword``.

        For example: ``tw.set_user_password("robin@example.org", getpass())``.
        """
        from threadwell.users.changing import set_password
        from threadwell.users.passwords import Hashing

        user = self.user(email)
        hashing = Hashing()
        try:
            work = set_password(self._store, self._project, user, password, hashing, now_ms)
            if self._loop.call(work) is None:
                raise LookupError("the password was changed by somebody else meanwhile")
        finally:
            hashing.close()

    @administers("user reset", "email")
    def reset_user(self, email: str) -> str:
        """A link by which somebody sets another password: ``tw.reset_user("robin@example.org")``.

        It works once, within an hour. The password that there is holds until then.
        """
        from threadwell.users.changing import reset

        user = self.user(email)
        link = self._loop.call(reset(self._store, self._project, user, now_ms))
        return link.url(self.server_url or DEFAULT_BASE_URL)

    def password_url(self, invited: Invited, base_url: str = "") -> str:
        """Where an invitation leads, ``""`` where they have a password already.

        For example: ``tw.password_url(tw.invite("robin@example.org", first="Robin", last="Ash"))``.
        Without ``base_url`` it leads to the server that runs on the store.
        """
        if base_url:
            checked_url(base_url, "the base URL")
        if invited.link is None:
            return ""
        return invited.link.url(base_url or self.server_url or DEFAULT_BASE_URL)

    @administers("user disable", "email")
    def disable_user(self, email: str) -> bool:
        """Let somebody in no more, at once; ``False`` if it is so: ``tw.disable_user(email)``."""
        return self._set_disabled(email, True)

    @administers("user enable", "email")
    def enable_user(self, email: str) -> bool:
        """Let somebody in again; ``False`` if it is so: ``tw.enable_user(email)``."""
        return self._set_disabled(email, False)

    @administers("user second-factor off", "email")
    def drop_second_factor(self, email: str) -> bool:
        """Ask somebody for no code any more: ``tw.drop_second_factor("robin@example.org")``.

        For whoever has lost both their telephone and their recovery codes. ``False`` where none
        is asked for.
        """
        from threadwell.users.changing import drop_factor

        user = self.user(email)
        return self._loop.call(drop_factor(self._store, self._project, user))

    @administers("user admin", "email", "admin")
    def set_admin(self, email: str, admin: bool) -> None:
        """Let somebody register clients and invite others: ``tw.set_admin(email, True)``."""
        from msgspec.structs import replace

        from threadwell.logins import endings
        from threadwell.users.keeping import change_user

        user = self.user(email)

        def changed(one: User) -> User:
            members = tuple(self._with_admin(member, admin) for member in one.members)
            return replace(one, members=members)

        self._loop.call(change_user(self._store, self._project, user.id, changed))
        self._loop.call(endings.tell(self._store))

    def sign_ins(self, email: str) -> list[SignIn]:
        """Where somebody is signed in to the pages: ``[s.agent for s in tw.sign_ins(email)]``."""
        from threadwell.users.browsers import browsers_of

        return self._loop.call(browsers_of(self._store, self._project, self.user(email)))

    @administers("user sessions end", "email")
    def end_sign_ins(self, email: str) -> int:
        """Sign somebody out everywhere, and of apps: ``tw.end_sign_ins(email)``.

        Returns in how many browsers they were signed in.
        """
        from threadwell.users.accounts import end_logins
        from threadwell.users.browsers import end_browsers

        user = self.user(email)
        work = end_logins(self._store, self._project, user, "ended by hand", now_ms)
        self._loop.call(work)
        return self._loop.call(end_browsers(self._store, self._project, user))

    def _set_disabled(self, email: str, disabled: bool) -> bool:
        from threadwell.users.changing import set_disabled

        user = self.user(email)
        work = set_disabled(self._store, self._project, user, disabled)
        return self._loop.call(work) is not None

    def _with_admin(self, member: Member, admin: bool) -> Member:
        from msgspec.structs import replace

        if member.project != self._project:
            return member
        return replace(member, admin=admin)
