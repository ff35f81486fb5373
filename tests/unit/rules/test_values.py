"""A report's rows: a sequence like any other, which Prefect does not walk through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from prefect.utilities.collections import visit_collection

from tasks.rules.asset_sync.report import SyncCounts, SyncReport
from tasks.rules.report import WrittenRecord
from tasks.rules.values import Rows

MANY = [WrittenRecord(f"key-{number}", f"WKS-{number}", "created", number) for number in range(500)]


def visited(written: Sequence[WrittenRecord]) -> int:
    seen: list[Any] = []
    report = SyncReport(SyncCounts(read=500, created=500), written=written)
    visit_collection(report, visit_fn=lambda each: seen.append(each), return_data=False)
    return len(seen)


def test_prefect_visits_a_list_and_leaves_rows_alone() -> None:
    assert visited(MANY) > 500
    assert visited(Rows(MANY)) < 100


@pytest.mark.parametrize("rows", [[], MANY])
def test_rows_are_a_sequence(rows: list[WrittenRecord]) -> None:
    assert list(Rows(rows)) == rows
    assert len(Rows(rows)) == len(rows)
    assert list(Rows(rows)[:3]) == rows[:3]
    assert list(reversed(Rows(rows))) == rows[::-1]
