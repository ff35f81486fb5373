"""Schedules for the real stack are drawn from the seed alone, and every kind of event occurs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid

import pytest

from benchmarks.chaos.process import descendants, kill, kill_tree, with_text
from benchmarks.chaos.real_runs import FLOW_RUN, PLANS, SERVER, SERVER_TERM, WORKER, draw_real, read_counts
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT
from sandbox.faults import read_rule
from sandbox.switches import Switches
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.enrichment.plan import EnrichmentCounts
from tasks.rules.report import counts_table

SEEDS = range(2 * len(PLANS))


def test_the_same_seed_draws_the_same() -> None:
    assert draw_real(7) == draw_real(7)
    assert draw_real(7) != draw_real(7 + len(SEEDS))


def test_neighbouring_seeds_have_every_event_with_both_flows() -> None:
    kinds = {
        (drawn.schedule.flow, event.kind)
        for drawn in map(draw_real, SEEDS)
        for events in drawn.events
        for event in events
    }
    assert kinds == {
        (flow, kind) for flow in (ASSETS, ENRICHMENT) for kind in (WORKER, FLOW_RUN, SERVER, SERVER_TERM)
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_drawn_is_taken_by_flow_and_sandbox(seed: int) -> None:
    drawn = draw_real(seed)
    settings = drawn.schedule.settings | {"company": "BlueLightCo"}
    model = EnrichmentSettings if drawn.schedule.flow == ENRICHMENT else AssetSynchronizationSettings
    model.model_validate(settings)
    Switches.of(drawn.schedule.switches)
    for fault_plan, events in zip(drawn.schedule.rounds, drawn.events, strict=True):
        for rule in fault_plan.faults:
            read_rule(rule, random.Random(1))
        assert [event.at for event in events] == sorted(event.at for event in events)


def test_counts_are_read_from_the_report_of_a_run() -> None:
    counts = EnrichmentCounts(read=1_234, updated=1_000, unchanged=230, contested=4)
    report = f"# Tickets of A\n\n**Completed**\n\n{counts_table(counts)}\n\n| Name |\n|---|\n| 1 |\n"
    assert read_counts(report) == counts.as_dict()
    with pytest.raises(ValueError, match="No counts"):
        read_counts("# Nothing")


def parent_with_a_child(mark: str) -> subprocess.Popen[bytes]:
    """A process that has started another one, and says so; both have the mark in their environment."""
    child = "import subprocess, time; subprocess.Popen(['sleep', '60']); print(flush=True); time.sleep(60)"
    command = [sys.executable, "-c", child]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "MARK": mark})
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_a_process_is_found_and_killed_with_what_it_started_or_without() -> None:
    mark = str(uuid.uuid4())
    process = parent_with_a_child(mark)
    try:
        (child,) = descendants(process.pid)
        assert sorted(with_text(mark)) == sorted([process.pid, child])
        kill([child])
        assert process.poll() is None
    finally:
        kill_tree(process.pid)
        process.wait()
    other = parent_with_a_child(mark)
    assert kill_tree(other.pid) == 2
    assert other.wait() == -9
    # Its child was not ours to wait for, so the system takes a moment to bury it.
    deadline = time.monotonic() + 10
    while with_text(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert with_text(mark) == []
