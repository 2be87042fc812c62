"""A StructureDefinition as a tree of its elements, slices beside what they are slices of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from threadwell.fhir.profiles.library import BadProfile
from threadwell.fhir.resource import Resource

#: Elements that one profile may have.
MAX_ELEMENTS = 10_000


@dataclass(slots=True)
class Node:
    """One element. ``name`` is the last part of its path, ``slice`` its name as a slice.

    ``says`` is the ElementDefinition. ``children`` are the elements below it, in their order, and
    ``slices`` the slices of it; of a slice, those that it is sliced into again.
    """

    id: str
    name: str
    slice: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def least(self) -> int:
        """How many there must be."""
        least = self.says.get("min", 0)
        return least if isinstance(least, int) else 0

    @property
    def most(self) -> int | None:
        """How many there may be; ``None`` where it is not said or there is no end."""
        most = self.says.get("max")
        return int(most) if isinstance(most, str) and most.isdigit() else None

    @property
    def types(self) -> list[dict[str, Any]]:
        """The types that it may have: ``ElementDefinition.type``."""
        return [one for one in self.says.get("type", ()) if isinstance(one, dict)]


def tree(structure: Resource) -> tuple[Node, dict[str, Node]]:
    """The root, and every node by its id; raises ``BadProfile``.

    It is that of the snapshot. Where there is none, it has what the differential says, and what is
    not said there is left to the profile that it is based on.
    """
    listed = _listed(structure)
    if not listed:
        raise BadProfile("it has neither a snapshot nor a differential")
    if len(listed) > MAX_ELEMENTS:
        raise BadProfile(f"it has more than {MAX_ELEMENTS:,} elements")
    first = str(listed[0].get("path", "")).partition(".")[0]
    root = Node(first, first)
    nodes = {first: root}
    for says in listed:
        id_, path = says.get("id"), says.get("path")
        if not isinstance(path, str):
            raise BadProfile("an element has no path")
        node = _node(nodes, id_ if isinstance(id_, str) else _made_id(says, path))
        node.says = says
    return root, nodes


def _listed(structure: Resource) -> list[dict[str, Any]]:
    for view in ("snapshot", "differential"):
        found = (structure.get(view) or {}).get("element")
        if found:
            return [one for one in found if isinstance(one, dict)]
    return []


def _made_id(says: dict[str, Any], path: str) -> str:
    name = says.get("sliceName")
    return f"{path}:{name}" if isinstance(name, str) else path


def _node(nodes: dict[str, Node], id_: str) -> Node:
    """The node of an id, made with all that it stands under if it is not there."""
    if id_ in nodes:
        return nodes[id_]
    above, dot, last = id_.rpartition(".")
    if not dot:
        raise BadProfile(f"{id_[:80]} is no element of it")
    parent = _node(nodes, above)
    name, _, slice_ = last.partition(":")
    if not slice_:
        made = parent.children[name] = nodes[id_] = Node(id_, name)
        return made
    # A slice of a slice has the name of that one before its own: "outer/inner".
    outer, _, _ = slice_.rpartition("/")
    of = _node(nodes, f"{above}.{name}:{outer}" if outer else f"{above}.{name}")
    made = of.slices[slice_] = nodes[id_] = Node(id_, name, slice_)
    return made
