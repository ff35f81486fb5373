"""What a run keeps for the next one once its writes are done: what it read, and what a vendor refused.

A refused record is held in the ledger's quarantine until what would be sent of it changes
(``tasks.rules.quarantine``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from connectors.errors import ConnectorError
from connectors.ledger.models import HeldRecord
from tasks.shared.journalled import RunJournal, WriteResult
from tasks.shared.progress import run_logger


@asynccontextmanager
async def keep_or_note(what: str, notes: list[str]) -> AsyncIterator[None]:
    """A ledger that can't keep something costs no report: what was written is told, and a note says so."""
    try:
        yield
    except ConnectorError as error:
        note = f"{what} could not be kept for the next one: {error}"
        notes.append(note)
        run_logger().warning("%s", note)


async def keep_refused_records(
    journal: RunJournal,
    feature: str,
    *,
    refused: Sequence[HeldRecord],
    done: Sequence[str],
    notes: list[str],
    words: str,
) -> None:
    """Hold what was refused in this run, and let go of what needs it no longer.

    Args:
        feature: whose rows of the quarantine these are.
        done: keys of held records that were written or need no write any more.
        words: the note where anything was refused.
    """
    quarantine = journal.ledger.quarantine
    await quarantine.hold(journal.tenant, feature, refused, journal.company_id)
    if refused:
        notes.append(words)
    await quarantine.release(journal.tenant, feature, done, journal.company_id)


def refused_record(
    journal: RunJournal, step: str, result: WriteResult, *, name: str, payload: str, rules: str
) -> HeldRecord:
    """The row of a record that was refused; ``payload`` and ``rules`` are marks of what was sent."""
    return HeldRecord(
        key=result.asset_key,
        step=step,
        name=name,
        record_id=result.record_id,
        payload=payload,
        version=result.version,
        rules=rules,
        reason=result.message,
        run_id=journal.run_id,
    )
