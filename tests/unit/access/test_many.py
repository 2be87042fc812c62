"""Who takes part in many threads finds what they would find in few."""

from __future__ import annotations

from tests.unit.access.test_attacks import stores
from tests.unit.access.world import NAMES, WORLD, World, uuid
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write

__all__ = ["stores"]
NOW = 1_710_072_000_000


def test_of_many_threads_the_own_messages_are_found(stores: tuple[Store, Store]) -> None:
    world = World(stores[0], "participant", whole=True)
    writes = []
    for number in range(100):
        mine = number % 2 == 0
        header = {**WORLD["one" if mine else "two"]}
        header.pop("encounter")
        thread, said = uuid(2000 + number), uuid(3000 + number)
        message = {**WORLD["one-said"], "partOf": [{"reference": f"Communication/{thread}"}]}
        for id_, resource in ((thread, header), (said, message)):
            version = uuid(4000 + len(writes))
            stamped, body = stamp(dict(resource), id_, version, NOW)
            writes.append(Write("Communication", id_, version, NOW, stamped, body))
    world.run(stores[0].commit(DEFAULT_PROJECT, ChangeSet(tuple(writes))))
    of_ada = f"Communication?subject={NAMES['ada']}&part-of:missing=false"
    found = world.json(world.ask("GET", f"{of_ada}&_total=accurate&_count=200"))
    ids = {entry["resource"]["id"] for entry in found["entry"]}
    assert {uuid(3000 + number) for number in range(0, 100, 2)} <= ids
    assert not {uuid(3000 + number) for number in range(1, 100, 2)} & ids
    assert found["total"] == len(ids) == 52
    page = world.json(world.ask("GET", f"{of_ada}&_sort=-_lastUpdated&_count=3"))
    assert len(page["entry"]) == 3
    of_two = world.json(world.ask("GET", f"Communication?part-of=Communication/{uuid(2001)}"))
    assert "entry" not in of_two
