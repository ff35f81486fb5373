"""The bench itself, small: real processes, a real Prefect server, figures that add up."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.performance import results
from benchmarks.performance.bounds import FIRST_LOAD, NO_CHANGE, USUAL_RUN
from benchmarks.performance.run import main
from benchmarks.performance.scale import Stand, fresh, measure_run, prefect_share, save_blocks
from deployments.local.prefect import local_prefect
from deployments.local.sandbox import start_sandbox

pytestmark = pytest.mark.slow


def test_sixty_assets_keep_every_promise(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    arguments = ["60", "--latency-ms", "5", "--no-matching", "--no-chart"]
    assert main(arguments, home=tmp_path / "bench", result=path)
    first, quiet, usual = results.load(path)["runs"]
    assert [each["kind"] for each in (first, quiet, usual)] == [FIRST_LOAD, NO_CHANGE, USUAL_RUN]
    assert first["counts"]["created"] == first["new_records"] > 50
    assert quiet["connectwise_writes"] == 0
    assert (usual["changed"], usual["assets_read"]) == (6, 63)
    assert usual["counts"]["modified"] <= 6
    for each in (first, quiet, usual):
        assert each["requests"] == each["connectwise_requests"] + each["lansweeper_requests"]
        assert sum(each["used_by_part"].values()) == each["connectwise_requests"]
        assert each["task_runs"] > each["flow_runs"] == 1
        assert 0 < each["sandbox_cpu_seconds"] < each["wall_seconds"]


def test_the_chain_without_prefect_sends_the_same_requests(tmp_path: Path) -> None:
    home = tmp_path / "bench"
    home.mkdir()
    with local_prefect(home) as prefect, start_sandbox("--assets", "1") as sandbox:
        stand = Stand(Console(file=io.StringIO()), prefect, home)
        save_blocks(stand, sandbox)
        fresh(stand, sandbox, 60)
        measured = measure_run(stand, sandbox, 0)
        found = prefect_share(stand, sandbox, 60, measured, 1)
    assert found["walls_with_prefect"] == [measured["wall_seconds"]]
    assert 0 < found["walls_without_prefect"][0] < measured["wall_seconds"]
    assert 0 < found["prefect_share"] < 1
