"""Every asset read is accounted for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.report import SyncCounts, SyncReport
from tasks.rules.report import CountsError, counts_table, read_counts

numbers = st.integers(0, 50)


@given(numbers, numbers, numbers, numbers, numbers, st.data())
def test_failures_move_over_and_the_sum_stays(created, modified, same, unclear, skipped, data) -> None:  # type: ignore[no-untyped-def]
    read = created + modified + same + unclear + skipped
    planned = SyncCounts(read, created, modified, same, unclear, skipped).check()
    lost = data.draw(st.integers(0, created))
    refused = data.draw(st.integers(0, modified))
    kept = data.draw(st.integers(0, modified - refused))
    counts = planned.after_writes(failed_creations=lost, failed_modifications=refused, kept=kept)
    assert (counts.failed, counts.unchanged, counts.read) == (lost + refused, same + kept, read)


def test_counts_that_do_not_add_up_are_told_with_the_numbers() -> None:
    with pytest.raises(CountsError, match=r"3 of 4 assets read are accounted for: read 4, created 3"):
        SyncCounts(read=4, created=3).check()


def test_more_failures_than_plans_are_refused() -> None:
    with pytest.raises(CountsError):
        SyncCounts(read=1, created=1).after_writes(failed_creations=2, failed_modifications=0)


def test_a_report_needs_counts_that_add_up() -> None:
    with pytest.raises(CountsError):
        SyncReport(SyncCounts(read=1))


@pytest.mark.parametrize(
    ("counts", "name"),
    [
        (SyncCounts(read=2, ambiguous=1, skipped=1), "Completed"),
        (SyncCounts(read=1, failed=1), "Finished with 1 failure"),
        (SyncCounts(read=3, created=1, failed=2), "Finished with 2 failures"),
    ],
)
def test_the_state_is_named_after_the_failures(counts: SyncCounts, name: str) -> None:
    assert SyncReport(counts).state_name == name


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=5))
def test_counts_are_read_from_the_table_that_shows_them(outcomes: list[int]) -> None:
    counts = SyncCounts(sum(outcomes), *outcomes).check()
    text = f"# | a | b |\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n{counts_table(counts)}\n\nmore"
    assert read_counts(text) == counts.as_dict()
    assert read_counts(counts_table(counts, planned=True))["to_create"] == counts.created
    assert read_counts("nothing") == {}
