"""The judge of the enrichment's chaos schedules: each kind of fault is planted, and it names it.

Persons and faults are drawn from the seed alone.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from benchmarks.chaos.enrichment_oracle import Scene
from benchmarks.chaos.faults import draw_enrichment_faults
from benchmarks.chaos.people import act, draw_enrichment_people
from benchmarks.chaos.verdict import KILLED
from deployments.local.sandbox import Sandbox
from sandbox.faults import read_rule
from tests.support.benchmarks.enriched_sandbox import REQUESTS, EnrichedSandbox, judged


def test_a_right_schedule_has_no_faults_and_every_law_was_held_against_facts() -> None:
    verdict = judged()
    assert verdict.faults == []
    assert verdict.checked["law 3"] > 11 * 20
    assert min(verdict.checked[f"law {number}"] for number in (1, 2, 4)) > 5


def wrong_text(enriched: EnrichedSandbox) -> None:
    enriched.write(enriched.alone()[0], cw_open_tickets="99")


def missing_text(enriched: EnrichedSandbox) -> None:
    enriched.write(enriched.alone()[0], cw_configuration_url="")


def contested_written(enriched: EnrichedSandbox) -> None:
    enriched.write(enriched.unwritten()[0], cw_sla="Gold, 4 hours")


def field_twice(enriched: EnrichedSandbox) -> None:
    enriched.writer.create_custom_field(None, {"name": "CW_SLA ", "type": "TEXTAREA"})  # type: ignore[arg-type]


def other_field(enriched: EnrichedSandbox) -> None:
    enriched.writer.create_custom_field(None, {"name": "cw_more", "type": "INPUT"})  # type: ignore[arg-type]


def wrong_type(enriched: EnrichedSandbox) -> None:
    enriched.store.custom_fields[enriched.keys["cw_sla"]]["type"] = "INPUT"


def field_gone(enriched: EnrichedSandbox) -> None:
    enriched.writer.delete_custom_field(None, "field-1")  # type: ignore[arg-type]


def scanned_value(enriched: EnrichedSandbox) -> None:
    asset = enriched.store.assets[enriched.alone()[0]]
    asset["assetBasicInfo"] = {**asset["assetBasicInfo"], "name": "renamed"}


def locked_member(enriched: EnrichedSandbox) -> None:
    enriched.store.locks.setdefault(enriched.alone()[0], set()).add("assetCustom.location")


def asset_gone(enriched: EnrichedSandbox) -> None:
    enriched.store.remove(enriched.unwritten()[0])


def connectwise_write(enriched: EnrichedSandbox) -> None:
    enriched.runs[0].requests["connectwise"]["writes"] = 1


def deletion(enriched: EnrichedSandbox) -> None:
    enriched.runs[0].requests["lansweeper"]["by"]["deleteAssets"] = 1


def quiet_write(enriched: EnrichedSandbox) -> None:
    enriched.runs[2].requests["lansweeper"]["writes"] = 1


def lost_count(enriched: EnrichedSandbox) -> None:
    told(enriched, 0)["counts"]["unchanged"] -= 1


def wrong_class(enriched: EnrichedSandbox) -> None:
    counts = told(enriched, 1)["counts"]
    counts["contested"] -= 1
    counts["unchanged"] += 1


def failure_without_name(enriched: EnrichedSandbox) -> None:
    counts = told(enriched, 0)["counts"]
    counts["unchanged"] -= 1
    counts["failed"] += 1


def written_twice(enriched: EnrichedSandbox) -> None:
    written = told(enriched, 1)["written"]
    written[0] = written[1]


def null_alias_counted(enriched: EnrichedSandbox) -> None:
    """The mutation left one asset out, which its run calls updated."""
    enriched.sandbox.unseen.add(enriched.alone()[0])


def edited_in_the_quiet_run(enriched: EnrichedSandbox) -> None:
    key = enriched.alone()[0]
    enriched.begin_request(2 * REQUESTS)
    enriched.write(key, **enriched.scene.model.texts()[key])


def edit_not_told(enriched: EnrichedSandbox) -> None:
    report = told(enriched, 1)
    report["written"].pop()
    report["counts"]["updated"] -= 1
    report["counts"]["unchanged"] += 1


def requests_untrue(enriched: EnrichedSandbox) -> None:
    told(enriched, 1)["mutations"] = 3


def field_made_by_two(enriched: EnrichedSandbox) -> None:
    told(enriched, 0)["fields_created"] = ["cw_sla"]


def clean_run_raised(enriched: EnrichedSandbox) -> None:
    enriched.runs[1].outcome, enriched.runs[1].report, enriched.runs[1].counts = "Failed", None, None


def told(enriched: EnrichedSandbox, run: int) -> dict[str, Any]:
    report = enriched.runs[run].report
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (wrong_text, "cw_open_tickets of asset"),
        (missing_text, "cw_configuration_url of asset"),
        (contested_written, "no configuration claims alone, was given"),
        (field_twice, "There are 2 custom fields cw_sla"),
        (other_field, "Custom field cw_more of type INPUT was made"),
        (wrong_type, "Custom field cw_sla of type INPUT was made"),
        (field_gone, "Custom field Cost centre is gone"),
        (scanned_value, "assetBasicInfo.name of asset"),
        (locked_member, "were locked: assetCustom.location"),
        (asset_gone, "1 assets are gone"),
        (connectwise_write, "sent 1 writes to ConnectWise"),
        (deletion, "sent deleteAssets to Lansweeper"),
        (quiet_write, "The quiet run sent 1 writes"),
        (lost_count, "outcomes for 30 read"),
        (wrong_class, "The clean run counted"),
        (failure_without_name, "0 failures named"),
        (written_twice, "an asset is named twice"),
        (null_alias_counted, "The report of a clean run calls updated what Lansweeper did not edit"),
        (edited_in_the_quiet_run, "The report of a quiet run does not name what Lansweeper edited"),
        (edit_not_told, "The report of a clean run does not name what Lansweeper edited"),
        (requests_untrue, "mutations 3, served 2"),
        (field_made_by_two, "cw_sla was reported as made 2 times"),
        (clean_run_raised, "The clean run ended as Failed"),
    ],
)
def test_each_kind_of_fault_is_named(spoil: Any, words: str) -> None:
    faults = judged(spoil).faults
    assert any(words in fault for fault in faults), faults


def test_a_killed_run_without_a_report_is_no_fault() -> None:
    def killed(enriched: EnrichedSandbox) -> None:
        enriched.runs[0].outcome, enriched.runs[0].report, enriched.runs[0].counts = KILLED, None, None

    assert judged(killed).faults == []


def test_a_dry_run_that_writes_is_named() -> None:
    def dry(enriched: EnrichedSandbox) -> None:
        assert enriched.runs[0].fault_plan is not None
        enriched.runs[0].fault_plan = type(enriched.runs[0].fault_plan)(dry_run=True)
        enriched.runs[0].requests["lansweeper"]["writes"] = 1

    assert "A dry run sent 1 writes" in judged(dry).faults


def test_what_a_person_wrote_is_no_fault_and_may_not_be_lost() -> None:
    def comment(enriched: EnrichedSandbox) -> None:
        enriched.person("lansweeper/assets", enriched.alone()[0], **{"assetCustom.comment": "on loan"})

    assert judged(before=comment).faults == []

    def lost(enriched: EnrichedSandbox) -> None:
        enriched.store.assets[enriched.alone()[0]]["assetCustom"].pop("comment")

    assert (
        "No asset has what a person wrote into assetCustom.comment: 'on loan'" in judged(lost, comment).faults
    )


def test_persons_who_empty_custom_fields_or_write_other_ones_are_known() -> None:
    def emptied(enriched: EnrichedSandbox) -> None:
        first, second = enriched.alone()[:2]
        entry = {"fieldKey": "field-1", "name": "Cost centre", "value": "4711"}
        enriched.person("lansweeper/assets", first, **{"assetCustom.fields": [entry]})
        enriched.person("lansweeper/assets", second, **{"assetCustom.fields": None})

    assert judged(before=emptied).faults == []


def test_an_asset_that_lost_its_only_claim_may_keep_its_texts() -> None:
    def deleted_later(enriched: EnrichedSandbox) -> None:
        key = enriched.alone()[0]
        (number,) = enriched.oracle.before.model.claims()[key]
        enriched.sandbox.unseen.add(key)  # it was written long before these runs
        enriched.sandbox.world.store.delete("company/configurations", number)
        enriched.scene = Scene.of(enriched.sandbox)
        enriched.finish()

    verdict = judged(deleted_later)
    assert verdict.faults == []
    assert verdict.apart["asset that lost its only claim and keeps its texts"] == 1


def test_changed_tickets_and_agreements_change_what_is_wanted() -> None:
    def closed(enriched: EnrichedSandbox) -> None:
        links = enriched.sandbox.world.store.links("service/tickets/configurations")
        ticket, _ = next(pair for pair in links.pairs() if pair[1] in enriched.oracle.before.alone().values())
        enriched.sandbox.world.store.delete("service/tickets", ticket)

    assert any("cw_total_tickets of asset" in fault for fault in judged(closed).faults)


def test_the_same_seed_draws_the_same() -> None:
    for draw in (draw_enrichment_people, lambda rng: draw_enrichment_faults(rng, 5)):
        assert draw(random.Random(5)) == draw(random.Random(5))
    assert len({draw_enrichment_people(random.Random(seed)) != () for seed in range(20)}) == 2


def test_every_rule_is_one() -> None:
    rng = random.Random(1)
    rules = draw_enrichment_faults(rng, 200)
    assert {read_rule(rule, rng).fault["kind"] for rule in rules} == {
        *("partial", "status", "drop_before", "drop_after", "late", "delay", "edit")
    }


def test_every_deed_can_be_done_and_the_links_change(sandbox: Sandbox) -> None:
    sandbox.reset(assets=30, scenario="enrichment", tickets=25)
    before = sandbox.state("finance/agreements/configurations")
    rng = random.Random(2)
    for _ in range(20):
        act(sandbox, draw_enrichment_people(rng))
    assert sandbox.state("finance/agreements/configurations") != before
