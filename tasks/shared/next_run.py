"""What a run keeps for the next one once its writes are done: what it read, what was refused, what failed.

A refused record is held in the ledger's quarantine until what would be sent of it changes
(``tasks.rules.quarantine``). What failed or was not sent stands in the journal, so that another run can be
about that alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from pydantic import Field

from connectors.errors import ConnectorError, StopError
from connectors.ledger.models import HeldRecord, WriteEntry, WriteOutcome
from tasks.shared.events import EventSubject, announce_held
from tasks.shared.journalled import RunJournal, WriteResult
from tasks.shared.progress import run_logger

HELD = "held"
"""What a person types to run only what is held."""
ONLY_FAILED = Field(
    default="",
    max_length=100,
    title="Only what failed",
    description='The id of an earlier run: only what failed or was not sent in it. "held": only the '
    "records that are held. Empty: every asset.",
)


async def only_failed(
    journal: RunJournal, typed: str, held: Collection[str], *, kind: str, company: str
) -> set[str] | None:
    """The asset keys that a run is about; None for all.

    Args:
        typed: what a person typed under Only what failed.
        held: the asset keys of what is held.
        kind: of the records that the feature writes, as the journal names it.
        company: how the error names it.

    Raises:
        StopError: the run that is named wrote nothing of this kind for this company.
    """
    wanted = typed.strip()
    if not wanted:
        return None
    if wanted == HELD:
        return set(held)
    last: dict[str, bool] = {}
    for write in await journal.ledger.journal.of_run(wanted):
        if write.company_id == journal.company_id and write.asset_key and write.record_kind == kind:
            last[write.asset_key] = write.outcome == "done"
    if not last:
        raise StopError(
            f"The ledger knows no write of a run {wanted!r} for {company}",
            remedy=f"Copy the run id from its report, or type {HELD!r}.",
        )
    return {key for key, done in last.items() if not done}


def only_words(typed: str, keys: Collection[str]) -> str:
    """The note of a run that is about some assets alone."""
    return f"Only {len(keys)} assets were looked at: those of {typed.strip()!r} under Only what failed."


async def note_unsent(journal: RunJournal, unsent: Sequence[WriteEntry]) -> None:
    """Note in the journal what was planned and never sent, so that it can be run by the run's id."""
    ids = await journal.begin(unsent)
    await journal.record([WriteOutcome(each, "not_sent") for each in ids])


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
    company: str,
    *,
    refused: Sequence[HeldRecord],
    done: Sequence[str],
    notes: list[str],
    words: str,
) -> None:
    """Hold what was refused in this run, and let go of what needs it no longer.

    Args:
        feature: whose rows of the quarantine these are.
        company: how events name it.
        done: keys of held records that were written or need no write any more.
        words: the note where anything was refused.
    """
    quarantine = journal.ledger.quarantine
    await quarantine.hold(journal.tenant, feature, refused, journal.company_id)
    announce_held(EventSubject(feature, journal.company_id, company), refused)
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
