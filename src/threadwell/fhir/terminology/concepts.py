"""A code system as its concepts and what stands below what (FHIR R4 §4.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from threadwell.fhir.quantities.units import UCUM, find_unit
from threadwell.fhir.resource import Resource

#: Concepts that a code system may have; more are a terminology server's work.
MAX_CONCEPTS = 50_000
#: Properties that say where in the hierarchy a concept stands (§4.8.11), besides nesting.
_ABOVE = frozenset({"parent", "subsumedBy"})


@dataclass(slots=True)
class Concept:
    """A concept; ``parents`` are the codes right above it, ``source`` is it as it was written."""

    code: str
    display: str
    source: Resource
    parents: dict[str, None] = field(default_factory=dict)

    @property
    def is_abstract(self) -> bool:
        """Whether it is there for what is below it, and not chosen itself."""
        return self.property("notSelectable") == [True]

    @property
    def is_inactive(self) -> bool:
        """Whether it is used no more."""
        return self.property("inactive") == [True] or not {"retired", "inactive"}.isdisjoint(
            value for value in self.property("status") if isinstance(value, str)
        )

    def property(self, code: str) -> list[Any]:
        """The values of a property: a Coding is its code."""
        found = []
        for one in self.source.get("property", ()):
            if one.get("code") == code:
                value = next((one[name] for name in one if name.startswith("value")), None)
                found.append(value.get("code") if isinstance(value, dict) else value)
        return found


class CodeSystem:
    """The concepts of a CodeSystem resource, in its order.

    ``is_whole`` is ``False`` where the resource says that it has only some of them.
    """

    def __init__(self, source: Resource) -> None:
        """Raises ``ValueError`` where it has more than ``MAX_CONCEPTS``."""
        self.url = str(source.get("url", ""))
        self.source = source
        self.is_whole = source.get("content") == "complete"
        self._is_folded = source.get("caseSensitive") is False
        self.concepts: dict[str, Concept] = {}
        for concept in _flat(source.get("concept", ()), ()):
            if len(self.concepts) == MAX_CONCEPTS:
                raise ValueError(f"a code system of more than {MAX_CONCEPTS:,} concepts")
            self.concepts.setdefault(concept.code, concept)
        for concept in self.concepts.values():
            for code in _ABOVE:
                concept.parents |= dict.fromkeys(map(str, concept.property(code)))
            for child in concept.property("child"):
                if child in self.concepts:
                    self.concepts[child].parents[concept.code] = None
        self._folded = {code.lower(): code for code in self.concepts} if self._is_folded else {}
        self._children: dict[str, list[str]] | None = None

    def find(self, code: str) -> Concept | None:
        """The concept of a code, in whatever case it is written if the system minds none."""
        found = self.concepts.get(code)
        if found is None and self._is_folded:
            found = self.concepts.get(self._folded.get(code.lower(), ""))
        if found is None and self.url == UCUM and find_unit(code) is not None:
            # Units are put together from others: they cannot be listed.
            return Concept(code, code, {"code": code})
        return found

    def above(self, code: str) -> dict[str, None]:
        """The code and all codes above it, nearest first; none of a code that is not there."""
        return self._reached(code, lambda one: self.concepts[one].parents)

    def below(self, code: str) -> dict[str, None]:
        """The code and all codes below it; none of a code that is not there."""
        return self._reached(code, self.children)

    def children(self, code: str) -> list[str]:
        """The codes right below a code."""
        return self._by_parent().get(code, [])

    def _by_parent(self) -> dict[str, list[str]]:
        if self._children is None:
            self._children = {}
            for concept in self.concepts.values():
                for parent in concept.parents:
                    self._children.setdefault(parent, []).append(concept.code)
        return self._children

    def _reached(self, code: str, next_: Callable[[str], Iterable[str]]) -> dict[str, None]:
        start = self.find(code)
        reached: dict[str, None] = {}
        waiting = [start.code] if start else []
        for one in waiting:
            if one not in reached and one in self.concepts:
                reached[one] = None
                waiting += next_(one)
        return reached


def _flat(concepts: Iterable[Resource], above: Sequence[str]) -> Iterator[Concept]:
    """Each concept and those nested in it, without recursion: nothing bounds how deep they go."""
    waiting = [(concept, above) for concept in reversed(list(concepts))]
    while waiting:
        source, parents = waiting.pop()
        code = str(source.get("code", ""))
        yield Concept(code, str(source.get("display", "")), source, dict.fromkeys(parents))
        waiting += [(one, (code,)) for one in reversed(source.get("concept", ()))]
