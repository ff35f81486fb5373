"""Lists of reference records: when a count is worth a request, and what a short list is told as."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.reading import AcceptOnce
from tasks.rules.asset_sync.reference_lists import ReferenceList, list_finding, names_in_use, refuse_hidden
from tasks.rules.asset_sync.references import STATUS, TYPE, plan_references
from tasks.rules.guards import ShrinkLimit
from tests.support.factories.asset_sync import compiled, configuration

AT = datetime(2026, 11, 28, tzinfo=UTC)
LIMIT = ShrinkLimit()


def types(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"ls_{number}"} for number in range(1, count + 1)]


def listed(
    records: list[dict[str, Any]], in_use: tuple[str, ...] = (), wanted: int = 1, known: int | None = None
) -> ReferenceList:
    amount = None if known is None else KnownAmount(known, AT)
    return ReferenceList(TYPE, records, {name.lower(): name for name in in_use}, wanted, amount)


@pytest.mark.parametrize(
    ("each", "doubt"),
    [
        (listed(types(12)), False),
        (listed(types(12), ("LS_3",)), False),
        (listed(types(12), ("Server",)), True),
        (listed(types(12), ("Server",), known=12), False),
        (listed(types(12), known=13), True),
        (listed(types(12) + types(1), known=12), True),
        (listed([]), True),
        (listed([], known=0), False),
        (listed([], wanted=0), False),
        (listed([], ("Server",), wanted=0), True),
    ],
)
def test_only_a_list_that_may_be_short_is_counted(each: ReferenceList, doubt: bool) -> None:
    assert each.in_doubt() is doubt


def test_a_short_list_is_told_with_all_numbers_and_how_to_go_on() -> None:
    each = listed(types(6), ("Server",), known=12)
    found = list_finding(each, 12, 40, AcceptOnce(), LIMIT)
    assert found is not None
    assert found.refuses
    assert "Configuration types: 6 different ones were read, twice, but the vendor counts 12." in found.text
    assert "An earlier run read 12." in found.text
    assert "such as the list lacks: 'Server'" in found.text
    assert "Run again; if it stays so and is right, set Accept once to references = 40" in found.text
    accepted = list_finding(each, 12, 40, AcceptOnce(references=40), LIMIT)
    assert accepted is not None
    assert not accepted.refuses
    assert ReferenceList(STATUS, []).words == "Statuses"


def test_a_list_that_shrank_is_told_though_the_count_is_as_short() -> None:
    found = list_finding(listed(types(6), known=12), 6, 40, AcceptOnce(), LIMIT)
    assert found is not None
    assert "Configuration types: 12 known from the last reading on 2026-11-28 00:00 UTC, 6 read" in found.text
    assert list_finding(listed(types(11), known=12), 11, 40, AcceptOnce(), LIMIT) is None
    assert list_finding(listed(types(6)), 6, 40, AcceptOnce(), LIMIT) is None


def test_a_name_that_configurations_refer_to_is_never_created() -> None:
    plan = plan_references(TYPE, ["ls_Windows", "ls_Linux"], [], create=True)
    refuse_hidden(plan, names_in_use([configuration(), configuration(101, "k2")], compiled(), "type.name"))
    assert plan.missing == ["ls_Linux"]
    assert "does not show it" in str(plan.problem("LS_windows"))
    assert plan.id_of("ls_Windows") is None
    assert names_in_use([configuration()], compiled(), "site.name") == {}


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_list_as_long_as_it_was_costs_no_request(now: int, before: int) -> None:
    assert listed(types(now), known=before).in_doubt() is (now < before)
