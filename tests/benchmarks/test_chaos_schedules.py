"""The drawing of schedules: the seed alone decides, and the whole of it brings every kind of fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from benchmarks.chaos.asset_model import Model
from benchmarks.chaos.faults import LONGEST_LATE, READ_SECONDS, SETTLE_SECONDS, TIME_OUT
from benchmarks.chaos.lanes import NOT_JUDGED
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, FaultPlan, Schedule, draw_schedule
from benchmarks.chaos.verdict import fault_name
from sandbox.connectwise.schema.tables import table_of
from sandbox.faults import Faults
from sandbox.switches import Switches
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.enrichment.settings import EnrichmentSettings

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
            assert deed["do"] in ("edit", "delete", "add", "churn", "ticket_churn")
            if str(deed.get("collection", "lansweeper/")).startswith(("company", "service", "finance")):
                assert table_of(deed["collection"])


def test_every_kind_of_mishap_is_drawn(drawn: dict[str, list[Schedule]]) -> None:
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
