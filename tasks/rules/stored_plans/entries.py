"""An entry of a plan: one record as plain data, for the ledger, for people, and to compare with a later plan.

Values are those of JSON: what has no form in it (a date, a number of more than 64 bits) stands as its text,
so that an entry that was stored and read again equals the one that was made.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from tasks.rules.isolation import convert_or, problem_words
from tasks.rules.values import FieldChange

T = TypeVar("T")
_LARGEST = 2**63


class EntryKind(StrEnum):
    """What a plan has in mind with a record; from ``AMBIGUOUS`` on nothing is written."""

    CREATE = "create"
    MODIFY = "modify"
    CHANGE_TYPE = "change type"
    """Only the type changes. A modification may change the type too, by a call of its own."""
    DELETE = "delete"
    AMBIGUOUS = "ambiguous"
    SKIPPED = "skipped"
    ORPHANED = "orphaned"
    GONE = "asset gone"
    UNLINKED = "no asset id"
    REFUSED = "refused"

    @property
    def writes(self) -> bool:
        return self in _WRITTEN


_WRITTEN = (EntryKind.CREATE, EntryKind.MODIFY, EntryKind.CHANGE_TYPE, EntryKind.DELETE)


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One record of a plan. ``configuration_id`` is None where there is none (yet).

    ``changes``: each field with its current and its wanted value; for a creation every value that it is
    created with. ``notes``: warnings, or why nothing is written. ``digest`` stands for the decision: 16 hex
    digits, the same as long as the same would be written; empty where there is none.
    """

    kind: EntryKind
    asset_key: str
    configuration_id: int | None
    name: str
    changes: tuple[FieldChange, ...] = ()
    notes: tuple[str, ...] = ()
    matched_on: str = ""
    digest: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For the ledger, each change as ``[field, current, wanted]``; ``entry_of`` reads it."""
        return {
            "kind": self.kind.value,
            "asset_key": self.asset_key,
            "configuration_id": self.configuration_id,
            "name": self.name,
            "changes": [[each.field, each.current, each.wanted] for each in self.changes],
            "notes": list(self.notes),
            "matched_on": self.matched_on,
            "digest": self.digest,
        }


def entry_of(values: Mapping[str, Any]) -> PlanEntry:
    """The entry whose ``as_dict`` these values are."""
    changes = tuple(FieldChange(*each) for each in values["changes"])
    return PlanEntry(
        EntryKind(values["kind"]),
        values["asset_key"],
        values["configuration_id"],
        values["name"],
        changes,
        tuple(values["notes"]),
        values["matched_on"],
        values["digest"],
    )


def entries_of(records: Iterable[T], make: Callable[[T], PlanEntry], kind: EntryKind) -> Iterator[PlanEntry]:
    """The entry of each record; one whose values have no text says so, and is the same as no other."""
    return (convert_or(each, make, lambda bad, error: _unreadable(bad, kind, error)) for each in records)


def _unreadable(record: Any, kind: EntryKind, error: Exception) -> PlanEntry:
    asset, configuration = getattr(record, "asset", record), getattr(record, "configuration", None)
    key = encodable_text(getattr(asset, "key", ""))
    notes = (f"It can't be shown: {problem_words(error)}",)
    return PlanEntry(kind, key, configuration.id if configuration else None, key, notes=notes)


def marks(changes: Iterable[FieldChange]) -> list[str]:
    """Each change as one comparable text, sorted; the same before and after the ledger."""
    return sorted(
        orjson.dumps([each.field, json_value(each.current), json_value(each.wanted)]).decode()
        for each in changes
    )


def json_value(value: Any) -> Any:
    """The value as JSON has it and gives it back."""
    # Nearly all values are plain texts.
    if value.__class__ is str and value.isascii():
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return encodable_text(value)


def encodable_text(value: Any) -> str:
    """A text without half an emoji, which JSON has no form for."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def digest_of(decision: list[Any], changes: Iterable[FieldChange]) -> str:
    """Of what is decided and its changes, in the mapping's order; their values are those of JSON."""
    whole = [decision, *([each.field, each.current, each.wanted] for each in changes)]
    return hashlib.sha256(orjson.dumps(whole)).hexdigest()[:16]
