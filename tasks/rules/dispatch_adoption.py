"""Which of the work orders that were found is the one that an unanswered creation made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.field_nation.models import status_of
from tasks.rules.dispatch_decision import OVER
from tasks.rules.dispatch_paths import read_path
from tasks.rules.dispatch_reference import carries, reference_carried
from tasks.rules.scalars import read_moment

COLUMNS = "status,incident_id,milestones"
"""The sections that a list must hold to be judged here."""
CLOCKS = timedelta(minutes=5)
"""So far the vendor's clock and ours may disagree."""
WorkOrder = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Adoption:
    """The work order to take as the record's own, or none; ``problem``: why a person must look first."""

    work_order_id: int | None = None
    problem: str = ""


def adoptable(
    found: Iterable[WorkOrder], reference: str, *, since: datetime | None, taken: Collection[int] = ()
) -> Adoption:
    """The living work order that carries the reference; else the newest one that was made ``since`` and is
    over by now, so that nothing is made again that a person has cancelled. An unknown status may live.

    Args:
        since: when the creation was sent; None: none was, so only living ones count.
        taken: work orders that earlier generations or other records have.
    """
    by_id = {int(each["id"]): each for each in found if carries(each, reference) and each["id"] not in taken}
    living = sorted(number for number, each in by_id.items() if status_of(each) not in OVER)
    if len(living) > 1:
        return Adoption(problem=double_words(reference, living))
    if living:
        return Adoption(living[0])
    ours = [number for number, each in by_id.items() if since is not None and _made_since(each, since)]
    return Adoption(max(ours) if ours else None)


def doubles(work_orders: Iterable[WorkOrder], prefix: str) -> dict[str, list[int]]:
    """References that several living work orders carry, with their ids."""
    living: dict[str, set[int]] = {}
    for each in work_orders:
        reference = reference_carried(each)
        if reference.startswith(f"{prefix}-") and status_of(each) not in OVER:
            living.setdefault(reference, set()).add(int(each["id"]))
    return {reference: sorted(ids) for reference, ids in sorted(living.items()) if len(ids) > 1}


def double_words(reference: str, ids: Sequence[int]) -> str:
    """One sentence about two living work orders of one record, with the remedy."""
    named = " and ".join(str(number) for number in ids)
    return f"{reference} has {len(ids)} living work orders, {named}: cancel all but one in Field Nation."


def _made_since(work_order: WorkOrder, since: datetime) -> bool:
    text = read_path(work_order, "milestones.created.utc")
    created = read_moment(text)
    return created is not None and created >= since - CLOCKS
