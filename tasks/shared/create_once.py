"""Create a record that is known by its name, and never a second one of that name.

The vendors keep no idempotency keys. So a creation without an answer is read back by its name until the
settle time has passed, and sent again only when it certainly is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import anyio

from connectors.errors import ConnectorError, RejectedError, RetryableError, UnclearOutcomeError
from connectors.ledger.models import JournalOutcome, WriteEntry, WriteOutcome
from tasks.shared.journalled import RunJournal
from tasks.shared.progress import run_logger
from tasks.shared.retry import Waiting, poll

ATTEMPTS = 3
"""How often a creation without an answer that is certainly not there is sent again."""

RecordId = int | str


class NamedRecords(Protocol):
    """Records of one kind, known by name: reference data in ConnectWise, custom fields in Lansweeper."""

    async def find(self, name: str) -> RecordId | None:
        """The id of the record of that name, read now."""

    async def create(self, name: str) -> RecordId | None:
        """Send one creation; returns the new record's id where the answer tells it."""

    def entry(self, name: str) -> WriteEntry:
        """The creation as the journal keeps it."""


@dataclass(frozen=True, slots=True)
class Created:
    """``record_id`` is None where the answer does not tell it; ``here``: this call created the record."""

    record_id: RecordId | None
    here: bool = True


async def create_once(
    records: NamedRecords,
    name: str,
    *,
    journal: RunJournal,
    waiting: Waiting,
    attempts: int = ATTEMPTS,
    look_first: bool = False,
) -> Created:
    """Create the record of that name, or return the one that somebody else has made meanwhile.

    Args:
        look_first: look for the record before each attempt, where others create the same names.

    Raises:
        RejectedError: the vendor refuses the name, and no record has it.
        UnclearOutcomeError: no attempt had an answer, and the record is still not there.
        RetryableError, StopError: nothing was created.
    """
    for attempt in range(1, attempts + 1):
        if look_first and (found := await records.find(name)) is not None:
            return Created(found, here=False)
        try:
            return await _attempt(records, name, journal, waiting)
        except UnclearOutcomeError:
            if attempt == attempts:
                raise
            kind = records.entry(name).record_kind
            run_logger().warning("%s %r is not there; it is sent again", kind, name)
    raise AssertionError("at least one attempt is made")


async def _attempt(records: NamedRecords, name: str, journal: RunJournal, waiting: Waiting) -> Created:
    """One request, journalled before and after. Where reading back fails too, the write stays open."""
    (write_id,) = await journal.begin([records.entry(name)])

    async def record(outcome: JournalOutcome, found: RecordId | None, error: ConnectorError | None) -> None:
        number = found if isinstance(found, int) else None
        await journal.record([WriteOutcome(write_id, outcome, number, str(error) if error else None)])

    try:
        record_id = await records.create(name)
    except UnclearOutcomeError as error:
        until = anyio.current_time() + waiting.settle_seconds
        found: RecordId | None = await poll(
            partial(records.find, name), until=until, pause=waiting.pause_seconds
        )
        await record("not_sent" if found is None else "done", found, error)
        if found is None:
            raise
        return Created(found)
    except RejectedError as error:
        found = await records.find(name)
        await record("failed", found, error)
        if found is None:
            raise
        return Created(found, here=False)
    except ConnectorError as error:
        await record("not_sent" if isinstance(error, RetryableError) else "failed", None, error)
        raise
    await record("done", record_id, None)
    return Created(record_id)
