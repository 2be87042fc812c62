"""Implementation guides, and how writes are checked, as plain method calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from threadwell.facade.administering import administers
from threadwell.facade.caring import Caring

if TYPE_CHECKING:
    from threadwell.fhir.packages.package import Package
    from threadwell.intake.guides.keeping import Added
    from threadwell.stores.guides import State


class Guiding(Caring):
    """FHIR packages: profiles, value sets and code systems that the store goes by."""

    @administers("ig add", ".package.label")
    def add_guide(self, packed: bytes) -> Added:
        """Keep a FHIR package: ``tw.add_guide(Path("package.tgz").read_bytes()).package.label``.

        One of the same name and version is replaced. Raises ``BadPackage``.
        """
        from threadwell.intake.guides.keeping import add_guide

        return self._loop.call(add_guide(self._store, self._project, packed))

    def guides(self) -> list[Package]:
        """The packages there are: ``[guide.label for guide in tw.guides()]``."""
        from threadwell.intake.guides.keeping import guides

        return self._loop.call(guides(self._store, self._project))[1]

    @administers("ig remove", "name")
    def remove_guide(self, name: str) -> Package:
        """Keep a package no longer: ``tw.remove_guide("hl7.fhir.us.core#6.1.0")``.

        Raises ``LookupError`` where there is none of that name, or several.
        """
        from threadwell.intake.guides.keeping import remove_guide

        return self._loop.call(remove_guide(self._store, self._project, name))

    def checks(self) -> State:
        """How what clients write is checked: ``tw.checks().profiles``."""
        from threadwell.intake.guides.keeping import guides

        return self._loop.call(guides(self._store, self._project))[0]

    @administers("ig set", "profiles", "references")
    def set_checks(self, *, profiles: str = "", references: str = "") -> State:
        """Set how what clients write is checked: ``tw.set_checks(references="exists")``.

        ``profiles`` is ``off`` or ``check``, ``references`` is ``off``, ``type`` or ``exists``.
        Raises ``ValueError`` for what is none of these.
        """
        from threadwell.intake.guides.keeping import set_checks

        given = {"profiles": profiles, "references": references}
        wanted = {name: value for name, value in given.items() if value}
        return self._loop.call(set_checks(self._store, self._project, **wanted))
