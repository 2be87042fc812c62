"""Threads that wait for an answer, and who takes care of them, as plain method calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadwell.facade.threads import Threads

if TYPE_CHECKING:
    from threadwell.encounters.corrected import Agent
    from threadwell.intake.todos.acting import Todo
    from threadwell.intake.todos.listing import Waiting


class Caring(Threads):
    """Who answers. Each act is a version of the Task of the thread, and a Provenance tells of
    it."""

    def waiting_threads(
        self, *, owner: str = "", pool: str = "", unowned: bool = False
    ) -> list[Waiting]:
        """The threads that wait for an answer, what is due first at the beginning.

        For example::

            for one in tw.waiting_threads(unowned=True):
                print(one.task, one.thread)

        Those of an ``owner`` (``Practitioner/…``), of a ``pool`` (``SYSTEM|CODE``), or ``unowned``.
        """
        from threadwell.intake.todos.listing import waiting_threads

        return self._show(
            "todos",
            waiting_threads(self._store, self._project, owner=owner, pool=pool, unowned=unowned),
        )

    def claim(self, task: str, owner: str, *, by: str = "") -> Todo:
        """Take care of a thread: ``tw.claim("Task/12", "Practitioner/7").owner``.

        Raises ``threadwell.intake.Taken``, which names who has it, and
        ``threadwell.intake.BadTodo``.
        """
        from threadwell.intake.acting_person import agent_at
        from threadwell.intake.todos.acting import claim

        if by:
            who = self._who(by)
            who = who if who.reference else who._replace(reference=owner)
        else:
            who = self._loop.call(agent_at(self._store, self._project, owner))
        return self._loop.call(claim(self._stand(who), task, owner))

    def release(self, task: str, *, why: str = "", by: str = "") -> Todo:
        """Give a Task back to its pool: ``tw.release("Task/12").owner == ""``.

        Raises ``threadwell.intake.BadTodo``.
        """
        from threadwell.intake.todos.acting import release

        return self._loop.call(release(self._stand(self._who(by)), task, why=why))

    def reroute(
        self, task: str, *, why: str, owner: str = "", pool: str = "", by: str = ""
    ) -> Todo:
        """Give a Task to another person, or to a pool (``SYSTEM|CODE`` or ``SYSTEM|CODE|DISPLAY``).

        For example::

            tw.reroute("Task/12", owner="Practitioner/9", why="A question about a bill")

        Raises ``threadwell.intake.BadTodo``.
        """
        from threadwell.intake.todos.acting import read_pool, reroute

        return self._loop.call(
            reroute(
                self._stand(self._who(by)),
                task,
                why=why,
                owner=owner,
                pool=read_pool(pool) if pool else None,
            )
        )

    def dismiss(self, task: str, *, why: str, by: str = "") -> Todo:
        """Say that what was written so far needs no answer: ``tw.dismiss("Task/12",
        why="Thanks")``.

        Raises ``threadwell.intake.BadTodo``.
        """
        from threadwell.intake.todos.acting import dismiss

        return self._loop.call(dismiss(self._stand(self._who(by)), task, why=why))

    def _who(self, by: str) -> Agent:
        from threadwell.intake.acting_person import agent_of
        from threadwell.intake.todos.acting import BadTodo

        return self._loop.call(agent_of(self._store, self._project, by, BadTodo))
