"""A write is noted before it is sent, and its outcome after; one that is cut off stays open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.errors import ConnectorError, RejectedError, RetryableError, UnclearOutcomeError
from connectors.ledger.models import JournalledWrite, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tasks.rules.bulk import ItemOutcome
from tasks.shared.journalled import RunJournal, journal_outcomes

pytestmark = pytest.mark.anyio
ENTRY = WriteEntry("modify", "configuration", 7, "key", "PC", {"name": "a"}, {"name": "b"})


@pytest.fixture
async def journal(ledger_file: Path) -> AsyncIterator[RunJournal]:
    async with Ledger.open(ledger_file) as ledger:
        yield RunJournal(ledger, "run", "default", 2, "connectwise:here:acme")


async def only_write(journal: RunJournal) -> JournalledWrite:
    (write,) = await journal.ledger.journal.of_run("run")
    return write


async def test_a_write_is_open_while_it_is_sent_and_done_afterwards(journal: RunJournal) -> None:
    async with journal.write(ENTRY) as write:
        assert (await only_write(journal)).outcome is None
        write.end(message="as wanted")
    noted = await only_write(journal)
    assert (noted.outcome, noted.record_id, noted.message) == ("done", 7, "as wanted")
    assert (noted.connection, noted.company_id, noted.tenant) == ("default", 2, "connectwise:here:acme")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RetryableError("away"), "unclear"),
        (RejectedError("no"), "failed"),
        (UnclearOutcomeError("?"), "unclear"),
    ],
)
async def test_an_error_is_recorded_and_raised(
    journal: RunJournal, error: ConnectorError, outcome: str
) -> None:
    with pytest.raises(type(error)):
        async with journal.write(ENTRY):
            raise error
    assert (await only_write(journal)).outcome == outcome


async def test_the_caller_says_what_an_error_means(journal: RunJournal) -> None:
    with pytest.raises(RetryableError):
        async with journal.write(ENTRY, lambda error: "not_sent"):
            raise RetryableError("away")
    assert (await only_write(journal)).outcome == "not_sent"


async def test_what_is_no_answer_of_the_vendor_leaves_the_write_open(journal: RunJournal) -> None:
    with pytest.raises(KeyboardInterrupt):
        async with journal.write(ENTRY):
            raise KeyboardInterrupt
    assert (await only_write(journal)).outcome is None


async def test_a_block_that_ends_early_records_what_it_said(journal: RunJournal) -> None:
    async def send() -> None:
        async with journal.write(ENTRY) as write:
            write.end("failed", message="refused")
            return

    await send()
    noted = await only_write(journal)
    assert (noted.outcome, noted.message) == ("failed", "refused")


def test_outcomes_of_a_bulk_request_keep_their_order() -> None:
    outcomes = [
        ItemOutcome(0, True, 5),
        ItemOutcome(1, False, message="no"),
        ItemOutcome(2, None, message="?"),
    ]
    assert journal_outcomes([1, 2, 3], outcomes) == [
        WriteOutcome(1, "done", 5),
        WriteOutcome(2, "failed", None, "no"),
        WriteOutcome(3, "unclear", None, "?"),
    ]
