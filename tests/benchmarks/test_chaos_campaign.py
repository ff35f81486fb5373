"""The short form of ``make chaos``: two schedules of fixed seeds against the session's servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.chaos.lanes import Lane
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, draw_schedule
from benchmarks.chaos.verdict import tally
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox

pytestmark = [
    pytest.mark.prefect,
    # The forked runs start Prefect's threads anew; this process's own do not matter to them.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
SCHEDULES = [(431, ASSETS), (121, ENRICHMENT)]
"""Small ones, of which no run waits for the outcome of a creation."""


@pytest.fixture
def lane(prefect_server: LocalPrefect, sandbox: Sandbox, tmp_path: Path) -> Iterator[Lane]:
    made = Lane("chaos-test", sandbox, prefect_server.api_url, tmp_path)
    made.prepare()
    yield made
    # A test that looks at every connection must not find this one.
    with httpx.Client(base_url=prefect_server.api_url, timeout=30) as client:
        for block in client.post("/block_documents/filter", json={}).raise_for_status().json():
            if block["name"] == made.name:
                client.delete(f"/block_documents/{block['id']}").raise_for_status()


def test_after_drawn_mishaps_nothing_is_lost_doubled_touched_or_miscounted(lane: Lane) -> None:
    results = [lane.run(draw_schedule(seed, flow)) for seed, flow in SCHEDULES]
    found = tally(results)
    assert found["failing"] == []
    assert all(run.outcome == "Completed" for each in results for run in each.runs if run.kind != "disturbed")
    assert found["mishaps"]
    assert min(found["facts checked"][law] for law in ("law 1", "law 2", "law 4", "law 6")) > 0
