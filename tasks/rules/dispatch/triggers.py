"""Triggers: which records are dispatched, and what of a record is remembered between two looks.

A trigger is a list of conditions that must all hold; several triggers are alternatives. A record enters once:
the same change told again, late or out of order changes nothing, since what counts is the record as it was
fetched, by its ``lastUpdated``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.rules.dispatch.paths import is_nothing, read_path, steps_of
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.values import folded, read_boolean, read_date_time, read_number

REFERENCES = ("status", "board", "type", "subType", "item", "priority", "company", "site", "team", "stage")
"""Fields that are references: a condition on one compares its name."""
CLOSED = "closedFlag"
_ALWAYS_THERE = ("status", "board")
_CUSTOM_FIELD = "customFields."
_PLAIN_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch


class Operator(StrEnum):
    """How a field is compared; text folded (``values.folded``)."""

    IS = "is"
    IS_NOT = "is not"
    STARTS_WITH = "starts with"


class TriggerCondition(BaseModel):
    """One condition. ``field`` is status, board, type, priority, customFields.<caption> or any path."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Condition", allow_inf_nan=False)

    field: str = Field(min_length=1, description="status, board, type, priority, customFields.<caption>, ...")
    operator: Operator = Field(default=Operator.IS, description="How the field is compared.")
    values: tuple[str | bool | int | float, ...] = Field(
        min_length=1, description="One of these is enough; with 'is not', it must be none of them."
    )

    @model_validator(mode="after")
    def _field_is_a_path(self) -> TriggerCondition:
        steps_of(self.field)
        return self

    @model_validator(mode="after")
    def _starts_with_something(self) -> TriggerCondition:
        if self.operator is Operator.STARTS_WITH and not all(_text(each) for each in self.values):
            raise ValueError(
                f"Every {self.field} starts with an empty value. Give the value that it starts with."
            )
        return self

    def holds(self, document: Mapping[str, Any]) -> bool:
        """Whether it holds for a record whose customFields are by caption (``dispatch_source``)."""
        value = read_path(document, f"{self.field}.name" if self.field in REFERENCES else self.field)
        if isinstance(value, Mapping) and not self.field.startswith(_CUSTOM_FIELD):
            # Whatever else is a reference, such as a source, an owner or a location.
            value = value.get("name")
        if self.operator is Operator.STARTS_WITH:
            return any(_text(value).startswith(_text(wanted)) for wanted in self.values)
        found = any(_alike(value, wanted) for wanted in self.values)
        return found if self.operator is Operator.IS else not found


class Trigger(BaseModel):
    """Records of one kind for which every condition holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: RecordKind = Field(default=RecordKind.SERVICE_TICKET, description="What is dispatched.")
    conditions: tuple[TriggerCondition, ...] = Field(
        min_length=1, description="All of them must hold. A trigger without any would dispatch every ticket."
    )

    def matches(self, kind: RecordKind, document: Mapping[str, Any]) -> bool:
        """Whether an open record of that kind is in this trigger."""
        return (
            kind is self.kind and not is_closed(document) and all(c.holds(document) for c in self.conditions)
        )


class RecordChange(StrEnum):
    """What a fetched record means for its dispatch, compared with what was known of it."""

    ENTERED = "entered"
    """In the trigger, and not before: it counts once."""
    STAYED = "stayed"
    LEFT = "left"
    """Open, but no longer in the trigger."""
    CLOSED = "closed"
    OUTSIDE = "outside"
    """Not in the trigger, nor was it before."""
    STALE = "stale"
    """Older than what is known already: a late message, nothing to do."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of a record: whether it was in a trigger, and how new that knowledge is (UTC).

    ``entries`` counts how often it entered: a ticket that left and came back has entered twice.
    """

    inside: bool = False
    updated: datetime | None = None
    entries: int = 0


def observe(
    triggers: Sequence[Trigger], kind: RecordKind, document: Mapping[str, Any], seen: Seen | None
) -> tuple[RecordChange, Seen]:
    """The change of a fetched record, and what to remember from now on; ``seen`` None: never seen before."""
    before = seen or Seen()
    updated = read_date_time(read_path(document, "_info.lastUpdated"))
    if before.updated is not None and updated is not None and updated < before.updated:
        return RecordChange.STALE, before
    inside = any(trigger.matches(kind, document) for trigger in triggers)
    if before.inside and not inside and not is_closed(document):
        inside = bool(unread_fields(triggers, kind, document))
    entered = inside and not before.inside
    known = updated if updated is not None else before.updated
    return _change(before, inside, document), Seen(inside, known, before.entries + entered)


def unread_fields(triggers: Sequence[Trigger], kind: RecordKind, document: Mapping[str, Any]) -> list[str]:
    """The fields for whose absence alone the record is outside of a trigger; empty: it really is outside.

    Every record has a status, every ticket a board, and a record shows each custom field that its screen has.
    A record without them was not read whole, so that is no leaving.
    """
    absent: list[str] = []
    for trigger in triggers:
        if trigger.kind is kind:
            failing = [each for each in trigger.conditions if not each.holds(document)]
            unread = [each.field for each in failing if not _is_shown(each.field, kind, document)]
            absent += unread if len(unread) == len(failing) else []
    return absent


def _is_shown(field: str, kind: RecordKind, document: Mapping[str, Any]) -> bool:
    if field.startswith(_CUSTOM_FIELD):
        wanted = folded(field.removeprefix(_CUSTOM_FIELD))
        return any(folded(str(caption)) == wanted for caption in document.get("customFields") or {})
    name = field.partition(".")[0]
    if name == "board" and kind is RecordKind.OPPORTUNITY:
        return True
    return name not in _ALWAYS_THERE or not is_nothing(document.get(name))


def triggers_mark(triggers: Sequence[Trigger], kind: RecordKind) -> str:
    """A short text that changes with the triggers of a kind."""
    texts = sorted(trigger.model_dump_json() for trigger in triggers if trigger.kind is kind)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def is_closed(document: Mapping[str, Any]) -> bool:
    """By ``closedFlag``; a status' name proves nothing. Opportunities are closed by their ``closedDate``."""
    flag = document.get(CLOSED)
    return bool(flag) if flag is not None else not is_nothing(document.get("closedDate"))


def _change(before: Seen, inside: bool, document: Mapping[str, Any]) -> RecordChange:
    if inside:
        return RecordChange.STAYED if before.inside else RecordChange.ENTERED
    if not before.inside:
        return RecordChange.OUTSIDE
    return RecordChange.CLOSED if is_closed(document) else RecordChange.LEFT


def _alike(value: Any, wanted: str | bool | int | float) -> bool:
    """Flags by meaning ("true", "Yes", 1), numbers by value, two texts as texts: ``0123`` is not ``123``.

    A text says a number only in its plain form, without leading zeros or an exponent.
    """
    if isinstance(value, bool) or isinstance(wanted, bool):
        flag = read_boolean(value)
        return flag is not None and flag == read_boolean(wanted)
    if isinstance(value, str) and isinstance(wanted, str):
        return not is_nothing(value) and _text(value) == _text(wanted)
    one, other = _number(value), _number(wanted)
    if one is not None and other is not None:
        return one == other
    return not is_nothing(value) and _text(value) == _text(wanted)


def _number(value: Any) -> int | float | None:
    if isinstance(value, str) and not _PLAIN_NUMBER(value.strip()):
        return None
    return read_number(value)


def _text(value: Any) -> str:
    return "" if value is None else folded(str(value))


@dataclass(frozen=True, slots=True)
class RecordMemory:
    """What is remembered of one record between two looks, as long as it has or had a work order.

    Attributes:
        sent: the work order's members as they were last sent.
        seen: whether the record was in a trigger when last fetched, and its ``lastUpdated``.
        closed: it was closed then, or gone.
        published, written_back: what follows a creation is done, or is not to be done.
        dropped: dotted paths that Field Nation dropped silently when they were last sent.
        triggers: the mark of the triggers by which it was last judged, "" where none was kept.
        found: its work order was found although the ledger knew of no creation. What came back from it before
            is not known either, so that notes and time entries are looked for before they are made.
        cancelling: a cancellation is under way. Who takes over after a kill knows by it that the record had
            left, even where it has come back by then.
        other: what another version of this program keeps there; it is never touched.
    """

    sent: dict[str, Any] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    closed: bool = False
    published: bool = False
    written_back: bool = False
    dropped: tuple[str, ...] = ()
    triggers: str = ""
    found: bool = False
    cancelling: bool = False
    other: dict[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Nothing of the creation is left to do."""
        return self.published and self.written_back
