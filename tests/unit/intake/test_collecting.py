"""The garbage collector is left as it was found."""

from __future__ import annotations

import gc

from threadwell.intake.collecting import rare_collections


def test_overlapping_imports_leave_the_usual_thresholds_behind():
    usual = gc.get_threshold()
    first, second = rare_collections(), rare_collections()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] > usual[0]
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual
