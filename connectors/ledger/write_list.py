"""Every write that the ledger knows as one list: the journal, and what dispatch keeps in its outbox.

The journal has the writes of asset-synchronization, tickets-agreements-sla-sync and undo-run, and the changes
of work orders. The work orders that dispatch makes stand in ``dispatch_intents``, what it writes to tickets
in ``dispatch_effects``, the notes that it copies in ``synced_notes``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.engine import Row

from connectors.ledger.database import Repository, moment, reading
from connectors.ledger.schema import dispatch_effects, dispatch_intents, synced_notes, writes

BEGUN = "begun"
"""The outcome of a write whose run was killed around it."""


@dataclass(frozen=True, slots=True)
class ListedWrite:
    """One write: when it was begun, by which run, where, what was done to which record, what came of it.

    ``run_id`` is empty in rows of dispatch that an older version sent.
    """

    at: datetime
    run_id: str
    tenant: str
    operation: str
    kind: str
    record: str
    name: str
    outcome: str
    message: str


class WriteList(Repository):
    """``ledger.write_list``: the writes of a run, or of a time."""

    async def find(
        self, *, run_id: str = "", since: datetime | None = None, until: datetime | None = None, most: int
    ) -> list[ListedWrite]:
        """The newest ``most`` writes that fit, in the order of time."""
        sources = (
            (writes, writes.c.begun_at, _of_journal),
            (dispatch_intents, dispatch_intents.c.sent_at, _of_intent),
            (dispatch_effects, dispatch_effects.c.sent_at, _of_effect),
            (synced_notes, synced_notes.c.sent_at, _of_note),
        )
        found: list[ListedWrite] = []
        async with reading(self._engine, "list the writes") as connection:
            for table, at, read in sources:
                query = select(table).where(at.is_not(None), *_during(at, since, until))
                if run_id:
                    query = query.where(table.c.run_id == run_id)
                rows = await connection.execute(_newest(query, at, table.c.id, most))
                found += [read(row) for row in reversed(rows.all())]
        return sorted(found, key=lambda each: each.at)[-most:]


def _during(
    at: ColumnElement[float], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    first = [] if since is None else [at >= since.timestamp()]
    return first + ([] if until is None else [at < until.timestamp()])


def _newest(
    query: Select[Any], at: ColumnElement[float], number: ColumnElement[int], most: int
) -> Select[Any]:
    return query.order_by(at.desc(), number.desc()).limit(most)


def _of_journal(row: Row[Any]) -> ListedWrite:
    return ListedWrite(
        moment(row.begun_at),
        row.run_id,
        row.tenant or row.connection,
        row.operation,
        row.record_kind,
        str(row.record_id or row.asset_key or ""),
        row.record_name,
        row.outcome or BEGUN,
        row.message or "",
    )


def _of_intent(row: Row[Any]) -> ListedWrite:
    name = f"{row.reference}, {row.record_kind} {row.record_id}"
    return _of_outbox(row, "create", "work order", row.work_order_id, name)


def _of_effect(row: Row[Any]) -> ListedWrite:
    return _of_outbox(row, row.name, "ticket", row.result_id, f"work order {row.work_order_id}")


def _of_note(row: Row[Any]) -> ListedWrite:
    kind = "work order message" if row.origin == "connectwise" else "ticket note"
    name = f"work order {row.work_order_id}, copy of {row.origin} {row.origin_id}"
    return _of_outbox(row, "copy note", kind, row.copy_id, name)


def _of_outbox(row: Row[Any], operation: str, kind: str, record: Any, name: str) -> ListedWrite:
    return ListedWrite(
        moment(row.sent_at),
        row.run_id or "",
        row.tenant,
        operation,
        kind,
        str(record or ""),
        name,
        row.state,
        row.message or "",
    )
