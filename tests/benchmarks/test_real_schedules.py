"""The real stage of the chaos campaign: worker and server die, and leases and states heal by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chaos.real_runs import draw_real, run_real

pytestmark = pytest.mark.slow

KILLED, RESTARTED = 1, 2


def test_a_killed_worker_and_a_restarted_server_lose_and_double_nothing(tmp_path: Path) -> None:
    results = run_real([KILLED, RESTARTED], tmp_path / "real", print, number=2)
    assert [list(result.faults) for result in results] == [[], []]
    drawn = {event.kind for seed in (KILLED, RESTARTED) for each in draw_real(seed).events for event in each}
    assert {kind for result in results for kind in result.injected} >= drawn
    assert all(result.runs[-1].kind == "quiet" for result in results)
