"""Schedules, short and for the real stack, are drawn from the seed alone and bring every kind of event.

The slow tests play some: two short ones, and one of the real stage.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest

from benchmarks.chaos.asset_model import Model
from benchmarks.chaos.faults import LONGEST_LATE, READ_SECONDS, SETTLE_SECONDS, TIME_OUT
from benchmarks.chaos.lanes import NOT_JUDGED, Lane
from benchmarks.chaos.process import descendants, kill, kill_tree, with_text
from benchmarks.chaos.readings import SAYS_NOTHING
from benchmarks.chaos.real_runs import (
    FLOW_RUN,
    PLANS,
    SERVER,
    SERVER_TERM,
    WORKER,
    draw_real,
    read_counts,
    run_real,
)
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, FaultPlan, Schedule, draw_schedule
from benchmarks.chaos.verdict import fault_name, tally
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from sandbox.connectwise.schema.tables import table_of
from sandbox.faults import Faults, read_rule
from sandbox.switches import Switches
from sandbox.wrong_reads import HOW
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.enrichment.plan import EnrichmentCounts
from tasks.rules.report import counts_table

MANY = 240
FLOWS = {ASSETS: AssetSynchronizationSettings, ENRICHMENT: EnrichmentSettings}


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[Schedule]]:
    return {flow: [draw_schedule(seed, flow) for seed in range(MANY)] for flow in FLOWS}


def every_round(drawn: dict[str, list[Schedule]]) -> Iterator[FaultPlan]:
    for schedules in drawn.values():
        for schedule in schedules:
            yield from schedule.rounds


@pytest.mark.parametrize("flow", FLOWS)
def test_the_same_seed_gives_the_same_schedule_and_another_one_another(
    drawn: dict[str, list[Schedule]], flow: str
) -> None:
    assert draw_schedule(17, flow) == drawn[flow][17]
    assert len({json.dumps(asdict(each)) for each in drawn[flow]}) == MANY


def test_every_schedule_is_one_that_sandbox_flow_and_model_understand(
    drawn: dict[str, list[Schedule]],
) -> None:
    for flow, schedules in drawn.items():
        for each in schedules:
            Switches.of(each.switches)
            FLOWS[flow].model_validate({**each.settings, "company": "x"})
            if flow == ASSETS:
                Model({name: value for name, value in each.settings.items() if name not in NOT_JUDGED})
    for fault_plan in every_round(drawn):
        Faults().set(list(fault_plan.faults), 1)
        for deed in fault_plan.people:
            assert deed["do"] in ("edit", "delete", "add", "churn", "ticket_churn", "move")
            if str(deed.get("collection", "lansweeper/")).startswith(("company", "service", "finance")):
                assert table_of(deed["collection"])


def test_every_kind_of_fault_is_drawn(drawn: dict[str, list[Schedule]]) -> None:
    rounds = list(every_round(drawn))
    kinds = Counter(fault_name(rule["fault"]) for each in rounds for rule in each.faults)
    wanted = (
        "429 with Retry-After, 429 without Retry-After, 500, 502 with HTML, drop_before, drop_after, late"
    )
    for name in (*wanted.split(", "), "time-out", "partial", "mid-run: edit", "mid-run: delete"):
        assert kinds[name] >= 5, name
    assert {each.kill_when for each in rounds if each.kill_at} == {"before", "during", "after"}
    assert any(each.clock_skew_seconds > 0 for each in rounds)
    assert any(each.clock_skew_seconds < 0 for each in rounds)
    assert any(each.ledger_room_bytes is not None for each in rounds)
    assert any(each.dry_run for each in rounds)


def test_every_way_to_read_or_know_something_wrong_is_drawn(drawn: dict[str, list[Schedule]]) -> None:
    for schedules in drawn.values():
        rounds = [each for schedule in schedules for each in schedule.rounds]
        kinds = Counter(fault_name(rule["fault"]) for each in rounds for rule in each.faults)
        for how in HOW:
            assert kinds[f"wrong read: {how}"] >= 3, how
        assert kinds["mid-run: move"] >= 3
        deeds = [deed for each in rounds for deed in each.people]
        assert any(deed["do"] == "move" and deed["share"] == 1.0 for deed in deeds)
        assert any(deed.get("kinds") == ["retire"] and deed["share"] > 0.5 for deed in deeds)
        assert {each.ledger for each in rounds} == {"", "lost", "restored"}
        assert any(each.other_block for each in rounds)
        assert any(each.two_at_once for each in rounds)
    values = [deed.get("changes") for each in every_round(drawn) for deed in each.people]
    assert all(each in values for each in SAYS_NOTHING)


def test_persons_also_edit_records_whose_batch_has_still_to_be_read(
    drawn: dict[str, list[Schedule]],
) -> None:
    """A record that is kept from before the first batch is then out of date, in any kind of field."""
    rules = [
        rule
        for schedule in drawn[ASSETS]
        for fault_plan in schedule.rounds
        for rule in fault_plan.faults
        if "ids" in rule["fault"] and rule["method"] == "PUT"
    ]
    assert len(rules) > MANY / 6
    assert all(max(rule["nth"]) <= 3 for rule in rules)
    members = {name for rule in rules for name in rule["fault"]["set"]}
    assert members >= {"notes", "tagNumber", "ipAddress"}


def test_no_round_is_calm(drawn: dict[str, list[Schedule]]) -> None:
    calm = FaultPlan()
    for each in every_round(drawn):
        assert each.faults or each.kill_at or each.clock_skew_seconds or each.ledger_room_bytes is not None
        assert each != calm


def test_late_work_lands_before_it_counts_as_settled_and_time_outs_are_ones(
    drawn: dict[str, list[Schedule]],
) -> None:
    assert TIME_OUT > READ_SECONDS
    for each in every_round(drawn):
        delays = [rule["fault"].get("seconds", 0) for rule in each.faults]
        late = [rule["fault"].get("delay", 0) for rule in each.faults]
        assert max(late, default=0) <= LONGEST_LATE
        assert sum(delays) + max(late, default=0) + 1 <= SETTLE_SECONDS


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


KILLED, RESTARTED = 1, 2


@pytest.mark.slow
def test_a_killed_worker_and_a_restarted_server_lose_and_double_nothing(tmp_path: Path) -> None:
    results = run_real([KILLED, RESTARTED], tmp_path / "real", print, number=2)
    assert [list(result.faults) for result in results] == [[], []]
    drawn = {event.kind for seed in (KILLED, RESTARTED) for each in draw_real(seed).events for event in each}
    assert {kind for result in results for kind in result.injected} >= drawn
    assert all(result.runs[-1].kind == "quiet" for result in results)


SCHEDULES = [(431, ASSETS), (121, ENRICHMENT)]
"""Small ones, of which no run waits for the outcome of a creation."""


@pytest.fixture
def lane(prefect_server: LocalPrefect, sandbox: Sandbox, tmp_path: Path) -> Iterator[Lane]:
    made = Lane("chaos-test", sandbox, prefect_server.api_url, tmp_path)
    made.prepare()
    yield made
    # A test that looks at every connection must not find these.
    with httpx.Client(base_url=prefect_server.api_url, timeout=30) as client:
        for block in client.post("/block_documents/filter", json={}).raise_for_status().json():
            if block["name"] in (made.name, made.other):
                client.delete(f"/block_documents/{block['id']}").raise_for_status()


@pytest.mark.prefect
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_drawn_faults_nothing_is_lost_doubled_touched_or_miscounted(lane: Lane) -> None:
    results = [lane.run(draw_schedule(seed, flow)) for seed, flow in SCHEDULES]
    found = tally(results)
    assert found["failing"] == []
    assert all(run.outcome == "Completed" for each in results for run in each.runs if run.kind != "disturbed")
    assert found["mishaps"]
    assert min(found["facts checked"][law] for law in ("law 1", "law 2", "law 4", "law 6")) > 0
