"""What of dispatch is held back: what a vendor refused of a record, and records that could not be handled.

Each is a row of the ledger's quarantine, by record and step. What older versions have kept, a state entry
``dispatch-refused-KIND-N``, is still read, so that nothing is sent again after an update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from connectors.ledger.models import HeldRecord
from connectors.ledger.store import Ledger
from tasks.dispatch.settings import DispatchSettings
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import RecordRef
from tasks.rules.quarantine import Attempt, fingerprint, is_held
from tasks.rules.values import write_date_time
from tasks.shared.events import EventSubject, announce_held

REFUSED_NAME = "dispatch-refused-{}-{}"
FEATURE = "dispatch"
"""Whose rows of the quarantine are dispatch's."""
HANDLING = "handling"
"""The step of a record that could not be handled at all."""


class RefusedStep(StrEnum):
    """What is refused of a record's work order; refused values of the record itself go by their target."""

    CREATION = "creation"
    UPDATE = "update"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """Why a vendor refused something. ``order``: fingerprint of the work order then, "" without one."""

    message: str
    order: str = ""


class Refusals:
    """What is held back of one tenant; every call is one short transaction or two.

    What this process has come to hold is remembered until ``announce`` tells of it in one event.
    """

    def __init__(self, ledger: Ledger, tenant: str, settings: DispatchSettings) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._settings = settings
        self._untold: dict[str, HeldRecord] = {}

    async def kept(self, ref: RecordRef, what: str, sent: Any) -> KeptRefusal | None:
        """The refusal of exactly this, by the same rules; None: it was not refused, and may be sent.

        So the same is not sent again at every look, but once it may end otherwise: what the record maps to,
        the rules or the work order have changed since, or a person asks. An outage is no refusal.
        """
        found = await self._ledger.quarantine.one(self._tenant, FEATURE, _held_key(ref, what))
        if found is not None:
            same = (found.payload, found.rules) == (self._sent_mark(sent), self.rules_mark)
            return KeptRefusal(found.reason, found.version) if same else None
        kept = (await self._old(ref)).get(str(what)) or {}
        if kept.get("sent") != self._sent_mark(sent):
            return None
        return KeptRefusal(str(kept.get("message") or ""), str(kept.get("order") or ""))

    async def keep(self, ref: RecordRef, what: str, sent: Any, refusal: KeptRefusal) -> None:
        """Keeps a refusal; it replaces the one before of the same step."""
        await self._hold(ref, what, self._sent_mark(sent), refusal.order, refusal.message)

    async def forget(self, ref: RecordRef) -> None:
        """Lets everything be sent once more, since a person asks for it."""
        kept = await self._ledger.quarantine.held(self._tenant, FEATURE)
        if ours := [key for key in kept if key.startswith(_held_key(ref, ""))]:
            await self._ledger.quarantine.release(self._tenant, FEATURE, ours)
        if await self._old(ref):
            await self._ledger.state.set(self._tenant, _refused_name(ref), {})

    async def held(self) -> dict[tuple[RecordKind, int], list[HeldRecord]]:
        """Everything that is held back, by record: one query."""
        found: dict[tuple[RecordKind, int], list[HeldRecord]] = {}
        for key, held in (await self._ledger.quarantine.held(self._tenant, FEATURE)).items():
            kind, number = key.split(" ", 2)[:2]
            found.setdefault((RecordKind(kind), int(number)), []).append(held)
        return found

    async def hold(self, ref: RecordRef, version: datetime | None, reason: str) -> None:
        """Keeps that a record could not be handled at all, until it or the rules change."""
        await self._hold(ref, HANDLING, "", _version(version), reason)

    async def release(self, held: Sequence[HeldRecord]) -> None:
        """Lets go of what is done by now."""
        await self._ledger.quarantine.release(self._tenant, FEATURE, [each.key for each in held])

    def holding(self, held: Sequence[HeldRecord], version: datetime | None) -> HeldRecord | None:
        """What holds a record back as a whole, if it and the rules are as they were then.

        Args:
            version: its ``lastUpdated``; None: it did not change.
        """
        whole = next((each for each in held if each.step == HANDLING), None)
        if whole is None:
            return None
        now = whole.version if version is None else _version(version)
        return whole if is_held(whole, Attempt("", now, self.rules_mark)) else None

    async def _hold(self, ref: RecordRef, what: str, payload: str, version: str, reason: str) -> None:
        held = HeldRecord(
            key=_held_key(ref, what),
            step=str(what)[:60],
            name=ref.reference,
            record_id=ref.id,
            payload=payload,
            version=version,
            rules=self.rules_mark,
            reason=reason,
        )
        await self._ledger.quarantine.hold(self._tenant, FEATURE, [held])
        self._untold[held.key] = held

    def announce(self) -> None:
        """Emit one event for all records that came to be held since the last one."""
        untold, self._untold = self._untold, {}
        announce_held(EventSubject(FEATURE), list(untold.values()))

    async def _old(self, ref: RecordRef) -> Mapping[str, Any]:
        """What an older version has kept."""
        return await self._ledger.state.get(self._tenant, _refused_name(ref)) or {}

    def _sent_mark(self, sent: Any) -> str:
        return fingerprint([sent, self._rules])

    @cached_property
    def rules_mark(self) -> str:
        """A short text that changes with the rules."""
        return fingerprint(self._rules)

    @cached_property
    def _rules(self) -> dict[str, Any]:
        return self._settings.model_dump(mode="json")


def _version(moment: datetime | None) -> str:
    return write_date_time(moment) if moment is not None else ""


def _held_key(ref: RecordRef, what: str) -> str:
    return f"{ref.kind.value} {ref.id} {what}"


def _refused_name(ref: RecordRef) -> str:
    return REFUSED_NAME.format(ref.kind.value, ref.id)
