"""A row that can't be shown becomes a row that says so; the others stay, and the document is never lost."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.action_io import answer_table
from tasks.rules.asset_sync.matching.result import Ambiguous, MatchResult, Unmatched
from tasks.rules.asset_sync.render import plan_markdown, queue_rows, report_markdown
from tasks.rules.asset_sync.report import SyncCounts, SyncReport
from tasks.rules.dispatch.result import ReportLine, dispatch_markdown, preview_markdown
from tasks.rules.enrichment.plan import AssetUpdate, ConfigurationName, EnrichmentPlan, SkippedConfiguration
from tasks.rules.enrichment.render import enrichment_plan_markdown
from tasks.rules.isolation import LONGEST_PROBLEM
from tasks.rules.report import WriteFailure, WrittenRecord, shown_or_counts
from tasks.rules.text import cells_of, lines_of
from tasks.rules.undo import UndoPlan, UndoRefusal, UndoStep, undo_markdown
from tasks.rules.values import FieldChange
from tests.support.factories.asset_sync import asset, configuration
from tests.support.factories.enrichment import asset as asset_state
from tests.unit.rules.asset_sync.test_plan import match, planned

WHY = "can't be shown: a number or date in it is out of range (OverflowError: too large)"


class Spoilt:
    """A value that has no text."""

    def __str__(self) -> str:
        raise OverflowError("too large")


SPOILT: Any = Spoilt()


def readable(text: str) -> str:
    return text.replace("\\", "")


def test_a_plan_keeps_every_row_but_the_spoilt_ones() -> None:
    plan = planned(
        MatchResult(
            matched=[match(f"m{n}", n + 1, serialNumber=f"S{n}") for n in range(3)],
            unmatched=[Unmatched(asset(f"n{n}"), f"Beware {n}.") for n in range(3)],
            ambiguous=[Ambiguous(asset(f"a{n}"), [configuration(7, None)], "two") for n in range(3)],
            orphaned=[configuration(9, "gone", serialNumber="G9"), configuration(10, "gone2")],
        )
    )
    plan.modifications[1].changes[0].wanted = SPOILT
    first, _, *others = plan.creations[1].asset.wanted
    plan.creations[1].asset.wanted = (first, SPOILT, *others)
    plan.ambiguous[1].asset.name = SPOILT
    plan.orphaned[0].serial = SPOILT
    text = readable(plan_markdown(plan))
    for kept in ("serialNumber: *empty* → S0", "serialNumber: *empty* → S2", "PC n0: ", "PC n2: ", "PC a0: "):
        assert kept in text
    for told in ("m1", "n1", "a1", "gone"):
        assert f"- {told} {WHY}" in text
    assert "asset key gone2" in text
    assert text.count(WHY) == 4


def test_the_queue_of_ambiguous_assets_keeps_every_row_but_the_spoilt_one() -> None:
    waiting = [Ambiguous(asset(f"a{n}"), [configuration(7, None)], "two") for n in range(3)]
    waiting[1].asset.name = SPOILT
    first, spoilt, last = queue_rows(waiting, "BlueLightCo", lambda _: None, lambda _: None, 200)
    assert (first["Asset"], last["Asset"]) == ("PC a0", "PC a2")
    assert readable(spoilt["Why"]).replace("<br>", " ") == f"a1 {WHY}"


def test_a_report_keeps_its_failures_and_what_was_written() -> None:
    report = SyncReport(
        SyncCounts(read=4, created=2, failed=2),
        failures=[WriteFailure("k1", "PC 1", "create", SPOILT), WriteFailure("k2", "PC 2", "create", "No")],
        written=[WrittenRecord("k3", SPOILT, "created", 5), WrittenRecord("k4", "PC 4", "created", 6)],
        notes=["A note", SPOILT],
    )
    text = readable(report_markdown(report))
    assert f"- k1 {WHY}" in text
    assert "- PC 2 (asset k2), create: No" in text
    assert f"| k3 {WHY} |  |  |" in text
    assert "| PC 4 | created | k4 |" in text
    assert "- A note" in text


def test_an_enrichment_and_an_undo_keep_theirs() -> None:
    updates = [
        AssetUpdate(
            asset_state(f"k{n}"), ConfigurationName(n, f"pc{n}"), (FieldChange("cw_sla", None, value),)
        )
        for n, value in enumerate(["Gold", SPOILT, "Silver"])
    ]
    skipped = [SkippedConfiguration(ConfigurationName(8, "x"), SPOILT)]
    plan = EnrichmentPlan(updates=updates, skipped=skipped, read=4)
    text = readable(enrichment_plan_markdown(plan))
    assert "cw_sla: *empty* → Gold" in text
    assert "cw_sla: *empty* → Silver" in text
    assert f"- k1 {WHY}" in text
    assert f"- 8 {WHY}" in text
    undo = UndoPlan(
        [UndoStep("modify", 5, "PC", "k5", {"notes": SPOILT}), UndoStep("delete", 6, "PC 2", "k6")],
        [UndoRefusal(7, "PC 3", "notes", SPOILT), UndoRefusal(8, "PC 4", None, "Changed since.")],
    )
    text = readable(undo_markdown(undo))
    assert f"- k5 {WHY}" in text
    assert "- PC 2: delete" in text
    assert f"- 7 {WHY}" in text
    assert "- PC 4: Changed since." in text


def test_a_report_of_dispatch_and_an_answer_keep_theirs() -> None:
    lines = [ReportLine("CW-S-1", "", "created", message=SPOILT), ReportLine("CW-S-2", "", "created")]
    text = readable(dispatch_markdown("Sweep", {"created": 2}, lines, notes=[SPOILT, "Look"]))
    assert f"| CW-S-1 {WHY} |  |  |  |" in text
    assert "| CW-S-2 | created |  |  |" in text
    assert "- Look" in text
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    table = answer_table([{"id": 1, "name": "a"}, {"id": 2, "name": nested}, {"id": 3, "name": "c"}])
    assert [row.get("name") for row in table.rows] == ["a", None, "c"]
    assert "nested too deeply" in str(table.rows[1]["id"])
    text = preview_markdown(lines[1], {"a": nested}, None, refusal="", warnings=[])
    assert "nested too deeply" in text


def test_half_an_emoji_in_a_preview_can_be_published() -> None:
    line = ReportLine("CW-S-2", "", "would create")
    preview_markdown(line, {"title": "cut \ud83d"}, None, refusal="", warnings=["\ud83d"]).encode()


def test_a_document_that_can_not_be_made_shows_its_counts_and_why() -> None:
    def fails() -> str:
        raise OverflowError("x" * 1000)

    text = shown_or_counts(fails, "Plan for Blue_Light", SyncCounts(read=3, created=1, failed=2))
    lines = [line for line in text.split("\n") if line]
    assert lines[0] == "# Plan for Blue\\_Light"
    assert lines[3].startswith("| **3** | **1** |")
    assert lines[-1].startswith("The rest can't be shown: a number or date in it is out of range")
    assert len(lines[-1]) < LONGEST_PROBLEM + 200


def test_no_memory_is_not_one_rows_problem() -> None:
    def fails(_: int) -> str:
        raise MemoryError

    with pytest.raises(MemoryError):
        lines_of([1], fails)
    with pytest.raises(MemoryError):
        cells_of([1], lambda each: [fails(each)], 2)
