"""Where the settings of a store make no sense, nothing is sent of which that could not be noted."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.unit.intake.provider import Provider
from tests.unit.intake.test_outbox import Desk, P
from threadwell.intake import BadSetting
from threadwell.intake.choices import Choices, keep_choices


def test_a_reply_is_sent_once_when_they_make_sense_again() -> None:
    with closing(Provider()) as provider:
        desk = Desk(":memory:", provider)
        name = desk.reply("Three it is.")
        desk.run(keep_choices(desk.store, P, Choices(policy="per-moon", zone="UTC")))
        for _ in range(2):
            with pytest.raises(BadSetting, match="per-moon"):
                desk.round()
        assert (desk.provider.sent, len(desk.waiting()), desk.dead()) == ([], 1, [])
        desk.run(keep_choices(desk.store, P, Choices(zone="UTC")))
        assert desk.round() is None
        assert len(desk.provider.sent) == len(desk.ids(name)) == 1
        desk.run(desk.store.close())
        desk.runner.close()
