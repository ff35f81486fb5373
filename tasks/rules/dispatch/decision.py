"""Decides for one record: the next step, which found work order is its own, and what has to be sent again.

    decide             the step, from the record as fetched and what is known of its work order
    adoptable          of the work orders that a search found the one that an unanswered creation made
    changed_sections   the mapped values that differ from what was last sent

A record has at most one living work order. What a person changed in Field Nation stays as long as the
ticket's own value stays, and a value that the ticket no longer has is left alone. Pure: where the work order
must be read before it can be decided, the step is LOOK.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from connectors.field_nation.models import LIVING, Status, status_of
from tasks.rules.dispatch.paths import is_nothing, read_path
from tasks.rules.dispatch.reference import carries, reference_carried
from tasks.rules.dispatch.triggers import RecordChange
from tasks.rules.values import read_date_time

ADOPTION_COLUMNS = "status,incident_id,milestones"
"""The sections that a list of work orders must hold for ``adoptable`` and ``doubles``."""
CLOCK_SKEW = timedelta(minutes=5)
"""So far the vendor's clock and ours may disagree."""
WorkOrder = Mapping[str, Any]
_FIELDS = "custom_fields"
Record = dict[str, Any]
OVER = frozenset({Status.PAID, Status.CANCELLED, Status.DELETED})
BEFORE_ASSIGNMENT = frozenset({Status.DRAFT, Status.PUBLISHED, Status.ROUTED, Status.POSTPONED})
BEFORE_A_PROVIDER = "before a provider was assigned"
"""How the reason of a cancellation ends, in the ledger too, where cancellations are counted by it."""
AFTER_WORK = frozenset({Status.WORK_DONE, Status.APPROVED})


class DispatchStep(StrEnum):
    """What to do next."""

    NOTHING = "nothing"
    RECOVER = "settle"
    """A creation was begun and its outcome is not known: look for what it made."""
    CREATE = "create"
    NEW_GENERATION = "new generation"
    """The old work order is over and the record came back: make another."""
    LOOK = "look"
    UPDATE = "update"
    CANCEL = "cancel"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The record as fetched. ``gone``: deleted. ``newly_closed``: closed or gone, and open when last seen.

    ``merged``: it is part of another ticket now, which has its work. ``inside``: in a trigger, or ``asked``
    for by a person. ``own_status``: its status is one that this integration sets itself, so reaching it is
    not leaving.
    """

    change: RecordChange
    inside: bool
    closed: bool = False
    newly_closed: bool = False
    gone: bool = False
    merged: bool = False
    own_status: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class WorkOrderFacts:
    """What is known: the newest intent's state ("" for none), the work order's status (None: not read)."""

    intent: str = ""
    status: Status | None = None
    assigned: bool = False


@dataclass(frozen=True, slots=True)
class DispatchDecision:
    """The step, and why in words where a person should know."""

    step: DispatchStep
    reason: str = ""


def decide(record: RecordFacts, order: WorkOrderFacts, *, cancel_on_leave: bool = False) -> DispatchDecision:
    """The next step for one record."""
    if order.intent in ("sent", "unresolved"):
        return DispatchDecision(DispatchStep.RECOVER)
    if record.change is RecordChange.STALE:
        return DispatchDecision(DispatchStep.NOTHING, "newer knowledge of the record is there already")
    if order.intent in ("", "intent", "refused"):
        return DispatchDecision(DispatchStep.CREATE if _wanted(record) else DispatchStep.NOTHING)
    if order.intent == "cancelled" or order.status in OVER:
        return _after_the_end(record)
    return _while_it_lives(record, order, cancel_on_leave)


def may_create_again(
    unanswered: int,
    since_sent: timedelta,
    pause: timedelta,
    *,
    most: int = 2,
    wanted: bool,
    by_hand: bool = False,
) -> bool:
    """Whether a creation of which nothing was found may be made once more: late, once, or by hand.

    ``unanswered`` counts the creations so far that were not answered and of which nothing was found.
    """
    if not wanted:
        return False
    return by_hand or (unanswered < most and since_sent >= pause)


def next_look(age: float, settle: float, first: float) -> float | None:
    """Seconds until an unanswered creation of that ``age`` is looked for again, None after ``settle``.

    The pauses grow with the age; the last look falls on ``settle``.
    """
    if age >= settle:
        return None
    return min(max(first, age), settle - age) or first


def _wanted(record: RecordFacts) -> bool:
    return record.inside and not record.gone and (record.asked or not record.merged)


def _after_the_end(record: RecordFacts) -> DispatchDecision:
    if _wanted(record) and (record.asked or record.change is RecordChange.ENTERED):
        return DispatchDecision(
            DispatchStep.NEW_GENERATION, "the earlier work order is over and the record came back"
        )
    if _wanted(record):
        return DispatchDecision(
            DispatchStep.NOTHING,
            "its work order is over; it gets another once it has left the trigger and come back",
        )
    return DispatchDecision(DispatchStep.NOTHING)


def _while_it_lives(record: RecordFacts, order: WorkOrderFacts, cancel_on_leave: bool) -> DispatchDecision:
    if (record.closed or record.gone) and not (record.newly_closed or record.asked):
        return DispatchDecision(DispatchStep.NOTHING)
    left = record.change is RecordChange.LEFT and not record.own_status
    ended = record.newly_closed and not record.asked
    if order.status is None:
        came_back = record.asked or record.change is RecordChange.ENTERED
        return DispatchDecision(DispatchStep.LOOK if left or ended or came_back else DispatchStep.UPDATE)
    if not (left or ended):
        return DispatchDecision(DispatchStep.UPDATE)
    why = "was closed" if ended else "left the trigger"
    if record.gone or record.merged:
        why = "was deleted" if record.gone else "was merged into another ticket"
    if order.status in BEFORE_ASSIGNMENT and not order.assigned:
        # ConnectWise says "not found" of a record that the API member may not see any more, too.
        if cancel_on_leave and not (record.gone or record.merged):
            return DispatchDecision(DispatchStep.CANCEL, f"the record {why} {BEFORE_A_PROVIDER}")
        return DispatchDecision(
            DispatchStep.REPORT, f"the record {why}, and its work order is still {_words(order.status)}"
        )
    if ended and order.status not in AFTER_WORK:
        return DispatchDecision(
            DispatchStep.REPORT,
            f"the record {why} although its work order is {_words(order.status)}; after assignment "
            "nothing is cancelled automatically",
        )
    return DispatchDecision(DispatchStep.NOTHING if ended else DispatchStep.UPDATE)


def _words(status: Status) -> str:
    known = status in LIVING or status in OVER
    return str(status).replace("_", " ") if known else "in a status that is not known"


@dataclass(frozen=True, slots=True)
class Adoption:
    """The work order to take as the record's own, or none; ``problem``: why a person must look first."""

    work_order_id: int | None = None
    problem: str = ""


def adoptable(
    found: Iterable[WorkOrder], reference: str, *, since: datetime | None, taken: Collection[int] = ()
) -> Adoption:
    """The living work order that carries the reference; else the newest one that was made and is over.

    The latter so that nothing is made again that a person has cancelled. An unknown status may live.

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
    return Adoption(max(ours, default=None))


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
    created = read_date_time(read_path(work_order, "milestones.created.utc"))
    return created is not None and created >= since - CLOCK_SKEW


def changed_sections(sent: Mapping[str, Any], wanted: Mapping[str, Any]) -> Record:
    """The members to PUT: a section whole if anything in it differs, custom fields one by one."""
    changes: Record = {}
    for name, value in wanted.items():
        before = sent.get(name)
        if is_nothing(value):
            continue
        if name == _FIELDS:
            if fields := _changed_fields(before, value):
                changes[name] = fields
        elif (laid := laid_over(before, value)) != before:
            changes[name] = laid
    return changes


def after_sending(sent: Mapping[str, Any], changes: Mapping[str, Any]) -> Record:
    """What counts as last sent once the changes are."""
    fields = {**_values(sent.get(_FIELDS)), **_values(changes.get(_FIELDS))}
    merged = {**sent, **changes}
    return {**merged, _FIELDS: _section(fields)} if fields else merged


def laid_over(before: Any, value: Any) -> Any:
    """``value`` with what ``before`` has besides, member by member; lists are taken whole, nothing leaves."""
    if is_nothing(value):
        return before
    if not isinstance(value, Mapping) or _is_moment(value):
        return value
    known = before if isinstance(before, Mapping) else {}
    laid = {name: laid_over(known.get(name), each) for name, each in value.items()}
    merged = {**known, **{name: each for name, each in laid.items() if not is_nothing(each)}}
    return merged or before


def half_changed(sent: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Sections of which only a part differs from what was last sent: they are sent whole, the rest too."""
    return [
        name
        for name, value in changes.items()
        if name != _FIELDS
        and isinstance(value, Mapping)
        and isinstance(before := sent.get(name), Mapping)
        and any(before.get(member) == each for member, each in value.items() if member != "mode")
    ]


def laid_on_current(before: Any, value: Any, current: Any) -> Any:
    """``value``, and where it is as last sent what the work order has now: what a person changed stays."""
    if isinstance(value, Mapping) and not _is_moment(value):
        known, has = (each if isinstance(each, Mapping) else {} for each in (before, current))
        return {name: laid_on_current(known.get(name), each, has.get(name)) for name, each in value.items()}
    if value != before or is_nothing(current):
        return value
    if isinstance(value, Mapping):
        shown = {name: current.get(name) for name in value} if isinstance(current, Mapping) else {}
        return value if any(is_nothing(each) for each in shown.values()) or not shown else shown
    return value if isinstance(value, list) or isinstance(current, list | Mapping) else current


def _is_moment(value: Mapping[str, Any]) -> bool:
    """Both shapes of a moment exclude each other, so one is never laid over the other."""
    return bool(value) and set(value) <= {"utc", "local"}


def _changed_fields(before: Any, value: Any) -> Record:
    known = _values(before)
    changed = {
        number: text
        for number, text in _values(value).items()
        if not is_nothing(text) and known.get(number) != text
    }
    return _section(changed) if changed else {}


def _values(section: Any) -> dict[int, Any]:
    groups = section.get("results") or [] if isinstance(section, Mapping) else []
    return {field["id"]: field.get("value") for group in groups for field in group.get("results") or []}


def _section(values: Mapping[int, Any]) -> Record:
    return {"results": [{"results": [{"id": number, "value": value} for number, value in values.items()]}]}
