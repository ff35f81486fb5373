"""The steps that a run of asset-synchronization, or the undo of one, has before it, once it has its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tasks.rules.asset_sync.references import LOCATION, MANUFACTURER, STATUS, TYPE
from tasks.rules.asset_sync.safety import Prediction
from tasks.rules.bulk import batches
from tasks.rules.forecast import RequestSeconds, Step
from tasks.rules.undo import UndoStep

LIST = "GET /company/configurations"
COUNT = "GET /company/configurations/count"
ONE = "GET /company/configurations/{id}"
CREATE = "POST /company/configurations/bulk"
REPLACE = "PUT /company/configurations/bulk"
PATCH = "PATCH /company/configurations/{id}"
DELETE = "DELETE /company/configurations/{id}"
_CREATED_BY = {
    LOCATION.path: "POST /system/locations",
    MANUFACTURER.path: "POST /procurement/manufacturers",
    STATUS.path: "POST /company/configurations/statuses",
    TYPE.path: "POST /company/configurations/types",
}
"""Names of requests, as the session counts them."""


def write_steps(
    cost: Prediction,
    references: Mapping[str, Sequence[str]],
    seconds: RequestSeconds,
    *,
    vendor: str,
    width: int,
) -> list[Step]:
    """What a run sends after its plan, in its order.

    Args:
        references: names to create, by target path.
        width: batches at the same time, once the first has gone alone.
    """

    def unit(units: int, *names: str, width: int = 1) -> Step:
        return Step(vendor, units, tuple(map(seconds.mean, names)) if units else (), width)

    steps = _reference_steps(references, seconds, vendor)
    steps += _batches(cost.creation_batches, (CREATE,), (CREATE,), unit, width)
    changed = cost.rereads - cost.type_changes
    if changed and cost.canary_read:
        steps += _batches(changed, (LIST, REPLACE, LIST), (LIST, REPLACE), unit, width)
    elif changed:
        singly = (LIST, *[PATCH] * -(-cost.modification_writes // changed))
        steps += _batches(changed, singly, singly, unit, width)
    steps += [unit(cost.type_changes, ONE, PATCH), unit(cost.duplicate_check, COUNT)]
    return [each for each in steps if each.units]


def undo_steps(steps: Sequence[UndoStep], seconds: RequestSeconds, vendor: str) -> list[Step]:
    """What an undo sends after its plan: each batch of records read again, then a request for each step."""
    records: dict[int, list[str]] = {}
    for each in steps:
        records.setdefault(each.record_id, []).append(DELETE if each.action == "delete" else PATCH)
    return [
        Step(vendor, 1, tuple(map(seconds.mean, [LIST, *(name for names in batch for name in names)])))
        for batch in batches(list(records.values()))
    ]


def _batches(
    count: int, first: Sequence[str], others: Sequence[str], unit: Callable[..., Step], width: int
) -> list[Step]:
    """The first batch goes alone."""
    return [unit(min(1, count), *first), unit(max(0, count - 1), *others, width=width)]


def _reference_steps(
    references: Mapping[str, Sequence[str]], seconds: RequestSeconds, vendor: str
) -> list[Step]:
    """Kinds side by side, the names of one kind in turn: the longest kind takes the time of all."""
    kinds = [(len(names), seconds.mean(_CREATED_BY[path])) for path, names in references.items() if names]
    if not kinds:
        return []
    longest, each = max(kinds, key=lambda kind: kind[0] * kind[1])
    beside = sum(count for count, _ in kinds) - longest
    return [Step(vendor, beside, (0.0,), max(1, beside)), Step(vendor, longest, (each,))]
