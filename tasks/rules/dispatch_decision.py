"""What is to be done for one record, from the record as fetched and from what is known of its work order.

One record has at most one living work order. Nothing here reads or writes anything; where the work order must
be read before it can be decided, the step is LOOK.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from connectors.field_nation.models import LIVING, Status
from tasks.rules.dispatch_triggers import Change

OVER = frozenset({Status.PAID, Status.CANCELLED, Status.DELETED})
BEFORE_ASSIGNMENT = frozenset({Status.DRAFT, Status.PUBLISHED, Status.ROUTED, Status.POSTPONED})
AFTER_WORK = frozenset({Status.WORK_DONE, Status.APPROVED})


class Step(StrEnum):
    """What to do next."""

    NOTHING = "nothing"
    SETTLE = "settle"
    """A creation was begun and its outcome is not known: look for what it made."""
    CREATE = "create"
    NEW_GENERATION = "new generation"
    """The old work order is over and the record came back: make another."""
    LOOK = "look"
    UPDATE = "update"
    CANCEL = "cancel"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class RecordState:
    """The record as fetched. ``gone``: deleted. ``newly_closed``: closed or gone, and open when last seen.

    ``inside``: in a trigger, or ``asked`` for by a person. ``own_status``: its status is one that this
    integration sets itself, so reaching it is not leaving.
    """

    change: Change
    inside: bool
    closed: bool = False
    newly_closed: bool = False
    gone: bool = False
    own_status: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known: the newest intent's state ("" for none), the work order's status (None: not read)."""

    intent: str = ""
    status: Status | None = None
    assigned: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The step, and why in words where a person should know."""

    step: Step
    reason: str = ""


def decide(record: RecordState, standing: Standing, *, cancel_on_leave: bool = False) -> Decision:
    """The next step for one record."""
    if standing.intent in ("sent", "unresolved"):
        return Decision(Step.SETTLE)
    if record.change is Change.STALE:
        return Decision(Step.NOTHING, "newer knowledge of the record is there already")
    if standing.intent in ("", "intent", "refused"):
        return Decision(Step.CREATE if _wanted(record) else Step.NOTHING)
    if standing.intent == "cancelled" or standing.status in OVER:
        return _after_the_end(record)
    return _while_it_lives(record, standing, cancel_on_leave)


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


def _wanted(record: RecordState) -> bool:
    return record.inside and not record.gone


def _after_the_end(record: RecordState) -> Decision:
    if _wanted(record) and (record.asked or record.change is Change.ENTERED):
        return Decision(Step.NEW_GENERATION, "the earlier work order is over and the record came back")
    if _wanted(record):
        return Decision(
            Step.NOTHING,
            "its work order is over; it gets another once it has left the trigger and come back",
        )
    return Decision(Step.NOTHING)


def _while_it_lives(record: RecordState, standing: Standing, cancel_on_leave: bool) -> Decision:
    if (record.closed or record.gone) and not (record.newly_closed or record.asked):
        return Decision(Step.NOTHING)
    left = record.change is Change.LEFT and not record.own_status
    ended = record.newly_closed and not record.asked
    if standing.status is None:
        came_back = record.asked or record.change is Change.ENTERED
        return Decision(Step.LOOK if left or ended or came_back else Step.UPDATE)
    if not (left or ended):
        return Decision(Step.UPDATE)
    why = "was deleted" if record.gone else "was closed" if ended else "left the trigger"
    if standing.status in BEFORE_ASSIGNMENT and not standing.assigned:
        # ConnectWise says "not found" of a record that the API member may not see any more, too.
        if cancel_on_leave and not record.gone:
            return Decision(Step.CANCEL, f"the record {why} before a provider was assigned")
        return Decision(
            Step.REPORT, f"the record {why}, and its work order is still {_words(standing.status)}"
        )
    if ended and standing.status not in AFTER_WORK:
        return Decision(
            Step.REPORT,
            f"the record {why} although its work order is {_words(standing.status)}; after assignment "
            "nothing is cancelled automatically",
        )
    return Decision(Step.NOTHING if ended else Step.UPDATE)


def _words(status: Status) -> str:
    known = status in LIVING or status in OVER
    return str(status).replace("_", " ") if known else "in a status that is not known"
