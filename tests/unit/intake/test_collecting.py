"""The garbage collector is left as it was found."""

from __future__ import annotations

import gc
import weakref

from threadwell.intake.collecting import no_collections, rare_collections


def test_overlapping_imports_leave_the_usual_thresholds_behind():
    usual = gc.get_threshold()
    first, second = rare_collections(), rare_collections()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] > usual[0]
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_what_is_left_in_cycles_goes_at_the_end_of_the_work():
    class Left:
        pass

    with no_collections():
        assert not gc.isenabled()
        one = Left()
        one.own = one
        there = weakref.ref(one)
        del one
        assert there() is not None
    assert there() is None
    assert gc.isenabled()
