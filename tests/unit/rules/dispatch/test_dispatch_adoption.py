"""Adoption: the work order that a creation made, never another record's, and never one of two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.dispatch.decision import Adoption, adoptable, doubles

SENT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def order(number: int, status: str = "Draft", reference: str = "CW-S-5", minutes: int = 0) -> dict[str, Any]:
    created = SENT + timedelta(minutes=minutes)
    return {
        "id": number,
        "title": f"[{reference}] x",
        "incident_id": reference,
        "status": {"name": status},
        "milestones": {"created": {"utc": created.strftime("%Y-%m-%d %H:%M:%S")}},
    }


ORDERS = st.lists(
    st.builds(
        order,
        st.integers(1, 8),
        st.sampled_from(["Draft", "Assigned", "Paid", "Cancelled", "Approved"]),
        st.sampled_from(["CW-S-5", "CW-S-55", "CW-P-5"]),
        st.sampled_from([-600, 0, 3]),
    ),
    unique_by=lambda each: each["id"],
)


@given(ORDERS, st.sets(st.integers(1, 8), max_size=3))
def test_the_one_living_work_order_of_this_record_is_adopted(
    found: list[dict[str, Any]], taken: set[int]
) -> None:
    free = [each for each in found if each["incident_id"] == "CW-S-5" and each["id"] not in taken]
    living = [each["id"] for each in free if each["status"]["name"] in ("Draft", "Assigned", "Approved")]
    adoption = adoptable(found, "CW-S-5", since=SENT, taken=taken)
    if len(living) == 1:
        assert adoption == Adoption(living[0])
    elif living:
        assert adoption.work_order_id is None
        assert all(str(number) in adoption.problem for number in living)
    else:
        late = [each["id"] for each in free if "2026-11-21" in each["milestones"]["created"]["utc"]]
        late = [each["id"] for each in free if each["id"] in late and _recent(each)]
        assert adoption == Adoption(max(late) if late else None)


def _recent(each: dict[str, Any]) -> bool:
    return str(each["milestones"]["created"]["utc"]) >= "2026-11-21 11:55:00"


@given(ORDERS)
def test_without_a_creation_only_a_living_one_counts(found: list[dict[str, Any]]) -> None:
    over = [each for each in found if each["status"]["name"] in ("Paid", "Cancelled")]
    assert adoptable(over, "CW-S-5", since=None) == Adoption()


def test_doubles_are_living_ones_of_our_prefix() -> None:
    found = [
        order(1),
        order(2, "Assigned"),
        order(3, "Cancelled"),
        order(4, reference="CW-P-9"),
        order(5, reference="XY-S-5"),
        order(6, reference="XY-S-5"),
        {"id": 7, "title": "none", "status": {"name": "Draft"}},
    ]
    assert doubles(found, "CW") == {"CW-S-5": [1, 2]}


def test_a_work_order_in_an_unknown_status_may_live() -> None:
    """A status that the vendor adds must not lead to a second work order."""
    assert adoptable([order(7, "At Risk")], "CW-S-5", since=None) == Adoption(7)
    assert doubles([order(7, "At Risk"), order(8)], "CW") == {"CW-S-5": [7, 8]}
