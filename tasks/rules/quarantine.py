"""Whether a record that a vendor refused is held back, and which refusals are the record's own.

A refusal is lasting where the same request would be refused again. An outage, an exhausted rate limit, a
missing right or an unclear outcome says nothing of the record, so none of those is ever held. A held record
is tried again once what would be sent, the record itself, or the rules are others, or when a person asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from connectors.ledger.models import HeldRecord

LASTING = frozenset({400, 413, 415, 422})
"""Statuses that speak of the record: a malformed or refused value, a record that is too large.

Not 401 and 403 (rights), 404 and 410 (it is gone), 405 and 501 (no such endpoint), 408, 409, 423, 425, 429
and 5xx (later it may pass).
"""

OF_ONE_RECORD = LASTING | {409}
"""Statuses for which a batch is split: they speak of one of its records, though a conflict may pass later."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What would be sent now, as marks: of the payload, of the record's version, of the rules."""

    payload: str
    version: str
    rules: str


def fingerprint(value: Any) -> str:
    """A short text that changes with a value."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def version_of(record: Mapping[str, Any]) -> str:
    """What tells one version of a ConnectWise record from another: its ``lastUpdated``, "" without one."""
    info = record.get("_info")
    return str(info.get("lastUpdated") or "") if isinstance(info, Mapping) else ""


def is_lasting(status: int | None) -> bool:
    """Whether a refusal with that status would come again for the same record; False where none is known."""
    return status in LASTING


def is_held(held: HeldRecord | None, attempt: Attempt) -> bool:
    """Whether the record was refused with exactly this before; a version that nobody knew does not count."""
    return may_be_held(held, attempt) and (not held.version or attempt.version == held.version)


def may_be_held(held: HeldRecord | None, attempt: Attempt) -> TypeGuard[HeldRecord]:
    """The same as far as it can be told without the record's version, which may cost a request."""
    return held is not None and (attempt.payload, attempt.rules) == (held.payload, held.rules)


def still_held(held: Mapping[str, HeldRecord], attempts: Mapping[str, Attempt]) -> dict[str, HeldRecord]:
    """The records of ``attempts`` that are held back, by key."""
    return {key: held[key] for key, attempt in attempts.items() if is_held(held.get(key), attempt)}


def held_words(held: HeldRecord) -> str:
    """Why a record is left alone, since when, and what lets it go."""
    since = f"{held.since:%Y-%m-%d %H:%M} UTC" if held.since else "now"
    times = "once" if held.attempts == 1 else f"{held.attempts} times"
    return f"held since {since}, refused {times}: {held.reason.rstrip('.')}"
