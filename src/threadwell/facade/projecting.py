"""The projects of a store, as plain method calls."""

from __future__ import annotations

from threadwell.facade.administering import administers
from threadwell.facade.opened import Opened
from threadwell.fhir.stamp import now_ms
from threadwell.projects.registry import (
    BadProject,
    Project,
    create_project,
    named_project,
    projects,
    rename_project,
)


class Projecting(Opened):
    """Which organisations share the store. Each has all of its own, and sees nothing of others."""

    def projects(self) -> list[Project]:
        """Every project, the first one first: ``[p.name for p in tw.projects()]``."""
        return self._loop.call(projects(self._trail.whole))

    @administers("project create", "name", ".id")
    def create_project(self, name: str) -> Project:
        """Make a project; its id opens it.

        For example::

            riverside = tw.create_project("Riverside Clinic")
            with threadwell.open("practice.db", project=riverside.id) as other: ...

        Raises ``BadProject`` (a ``ValueError``) where there is one of that name.
        """
        made = create_project(self._trail.whole, name, now_ms())
        return self._loop.call(made)

    @administers("project rename", "named", "name")
    def rename_project(self, named: str, name: str) -> Project:
        """Give a project another name; ``tw.rename_project("Threadwell", "Hill Street")``.

        Raises ``LookupError`` and ``BadProject``.
        """
        found = self._loop.call(named_project(self._trail.whole, named))
        if found is None:
            raise LookupError(f"there is no project {named!r}")
        return self._loop.call(rename_project(self._trail.whole, found, name))


__all__ = ["BadProject", "Project", "Projecting"]
