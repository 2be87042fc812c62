"""Rules and saved replies, as plain method calls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from threadwell.facade.administering import administers
from threadwell.facade.caring import Caring

if TYPE_CHECKING:
    from threadwell.intake.replies.saved import SavedReply
    from threadwell.intake.rulebook.ruleset import RuleSet
    from threadwell.intake.rules.runs import Run
    from threadwell.intake.rules.trying import Would


class Ruling(Caring):
    """What happens by itself: rules out of a file, and texts that are ready to be sent."""

    def rules(self) -> RuleSet | None:
        """The rules of the store: ``[rule.name for rule in tw.rules().rules]``.

        ``None`` where there are none.
        """
        from threadwell.intake.kept_rules import kept_rules

        return self._loop.call(kept_rules(self._store, self._project))

    def rules_text(self) -> str:
        """The file as it was set: ``print(tw.rules_text())``; ``""`` where there are none."""
        from threadwell.intake.kept_rules import kept_text

        return self._loop.call(kept_text(self._store, self._project))

    def check_rules(self, text: str) -> RuleSet:
        """The rules of a file, if they are right: ``tw.check_rules(path.read_text())``.

        Raises ``threadwell.intake.BadRules``, with every problem, its line and its field.
        """
        from threadwell.intake.rules.setting import check_rules

        return self._loop.call(check_rules(self._store, self._project, text))

    @administers("rules set")
    def set_rules(self, text: str) -> RuleSet:
        """Keep the rules of a file: ``tw.set_rules(path.read_text())``.

        They take the place of those before, in every process. Raises
        ``threadwell.intake.BadRules``.
        """
        from threadwell.intake.rules.setting import set_rules

        return self._loop.call(set_rules(self._store, self._project, text))

    @administers("rules drop")
    def drop_rules(self) -> bool:
        """Have no rules any more: ``tw.drop_rules()``; whether there were any."""
        from threadwell.intake.kept_rules import drop_rules

        return self._loop.call(drop_rules(self._store, self._project))

    def try_rules(self, text: str, *, since: datetime | None = None) -> list[Would]:
        """What the rules of a file would have done with what is stored; nothing is written.

        For example::

            for one in tw.try_rules(path.read_text()):
                print(one.at, one.rule, one.done)

        Raises ``threadwell.intake.BadRules``.
        """
        from threadwell.encounters.times import microseconds
        from threadwell.fhir.stamp import now_ms
        from threadwell.intake.rules.trying import try_rules

        rules = self.check_rules(text)
        return self._show(
            "rules",
            try_rules(
                self._store,
                self._project,
                rules,
                since=microseconds(since) if since else 0,
                until=now_ms() * 1000,
            ),
        )

    def rule_runs(self, *, rule: str = "", thread: str = "", count: int = 100) -> list[Run]:
        """The last runs of rules, the latest first: ``[r.done for r in tw.rule_runs()]``.

        Of one ``rule``, if it is named; or all that concern a ``thread``.
        """
        from threadwell.intake.rules.runs import runs, runs_about

        if thread:
            return self._show("rules", runs_about(self._store, self._project, thread))
        return self._show("rules", runs(self._store, self._project, rule=rule, count=count))

    def saved_replies(self) -> list[SavedReply]:
        """The saved replies, by name: ``[one.text for one in tw.saved_replies()]``."""
        from threadwell.intake.replies.saved import saved_replies

        return self._loop.call(saved_replies(self._store, self._project))

    @administers("saved set", "name")
    def save_reply(self, name: str, text: str, *, title: str = "") -> SavedReply:
        """Keep a text under a name: ``tw.save_reply("hours", "We are here from 9 to 5.")``.

        Places such as ``{{patient.given|there}}`` are filled when it is sent. Raises
        ``threadwell.intake.BadReply`` where nothing fills one.
        """
        from threadwell.intake.replies.saved import save_reply

        return self._loop.call(save_reply(self._stand(), name, text, title=title))

    @administers("saved remove", "name")
    def remove_saved_reply(self, name: str) -> None:
        """Offer a saved reply no longer: ``tw.remove_saved_reply("hours")``.

        Raises ``threadwell.intake.BadReply`` where there is none of that name.
        """
        from threadwell.intake.replies.saved import remove_saved

        self._loop.call(remove_saved(self._stand(), name))
