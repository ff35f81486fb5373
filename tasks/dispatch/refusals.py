"""Remembers what a vendor refused, so that the same is not sent again at every look.

It is sent again once it may end otherwise: what the record maps to, the rules or the work order have changed
since, or a person asks for it. What only passes, an outage or too many requests, is no refusal.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.standing import SHOWN
from tasks.rules.dispatch_reference import RecordKind


class What(StrEnum):
    """What is refused of a record's work order; refused values of the record itself go by their target."""

    CREATION = "creation"
    UPDATE = "update"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class Refusal:
    """``order`` is the mark of the work order as it stood then, empty where there was none."""

    message: str
    order: str = ""


async def refusal_of(
    run: DispatchRun, kind: RecordKind, record_id: int, what: str, sent: Any
) -> Refusal | None:
    """How exactly this, by the same rules, was refused before; None if it was not."""
    known = await run.ledger.watermark(run.tenant, _name(kind, record_id)) or {}
    kept = known.get(str(what)) or {}
    if kept.get("sent") != _mark([sent, run.settings.model_dump(mode="json")]):
        return None
    return Refusal(str(kept.get("message") or ""), str(kept.get("order") or ""))


async def keep_refusal(
    run: DispatchRun, kind: RecordKind, record_id: int, what: str, sent: Any, refusal: Refusal
) -> None:
    """Remembers a refusal; the one before of the same kind is forgotten."""
    name = _name(kind, record_id)
    known = await run.ledger.watermark(run.tenant, name) or {}
    mark = _mark([sent, run.settings.model_dump(mode="json")])
    kept = {"sent": mark, "order": refusal.order, "message": refusal.message}
    await run.ledger.set_watermark(run.tenant, name, {**known, str(what): kept})


async def forget_refusals(run: DispatchRun, kind: RecordKind, record_id: int) -> None:
    """A person asks: everything may be sent once more."""
    if await run.ledger.watermark(run.tenant, _name(kind, record_id)):
        await run.ledger.set_watermark(run.tenant, _name(kind, record_id), {})


def order_mark(work_order: Record | None) -> str:
    """Changes with what a person may change of a work order; of one that was read with ``SHOWN``."""
    return _mark({name: (work_order or {}).get(name) for name in SHOWN.split(",")})


def _name(kind: RecordKind, record_id: int) -> str:
    return f"dispatch-refused-{kind.value}-{record_id}"


def _mark(what: Any) -> str:
    text = json.dumps(what, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
