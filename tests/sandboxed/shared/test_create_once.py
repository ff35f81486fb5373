"""A named record is created once: whatever its creation answers, and whoever creates it meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.ledger.models import WriteEntry
from connectors.ledger.store import Ledger
from tasks.shared.create_once import Created, create_once
from tasks.shared.journalled import RunJournal
from tasks.shared.retry import Waiting

pytestmark = pytest.mark.anyio
WAITING = Waiting(settle_seconds=0, pause_seconds=0.01)


class Types:
    """Records by name. ``answers``: what each creation raises; ``kept``: whether it is made all the same."""

    def __init__(self, *answers: Exception | None, kept: bool = False) -> None:
        self.ids: dict[str, int] = {}
        self.answers = list(answers)
        self.kept = kept
        self.creations = 0
        self.looks = 0

    async def find(self, name: str) -> int | None:
        self.looks += 1
        return self.ids.get(name)

    async def create(self, name: str) -> int:
        self.creations += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is None or self.kept:
            self.ids[name] = 40 + self.creations
        if answer is not None:
            raise answer
        return self.ids[name]

    def entry(self, name: str) -> WriteEntry:
        return WriteEntry("create_reference", "Type", None, None, name, None, {"name": name})


@pytest.fixture
async def journal(ledger_file: Path) -> AsyncIterator[RunJournal]:
    async with Ledger.open(ledger_file) as ledger:
        yield RunJournal(ledger, "run", "default", 0, "connectwise:here:acme")


async def outcomes(journal: RunJournal) -> list[tuple[str | None, int | None]]:
    return [(each.outcome, each.record_id) for each in await journal.ledger.journal.of_run("run")]


async def test_one_request_and_no_look_where_the_answer_tells(journal: RunJournal) -> None:
    types = Types()
    assert await create_once(types, "PC", journal=journal, waiting=WAITING) == Created(41)
    assert (types.creations, types.looks) == (1, 0)
    assert await outcomes(journal) == [("done", 41)]


async def test_a_creation_without_answer_is_found_and_not_sent_again(journal: RunJournal) -> None:
    types = Types(UnclearOutcomeError("no answer"), kept=True)
    assert await create_once(types, "PC", journal=journal, waiting=WAITING) == Created(41)
    assert types.creations == 1
    assert await outcomes(journal) == [("done", 41)]


async def test_what_is_certainly_not_there_is_sent_again(journal: RunJournal) -> None:
    types = Types(UnclearOutcomeError("no answer"))
    assert await create_once(types, "PC", journal=journal, waiting=WAITING) == Created(42)
    assert await outcomes(journal) == [("not_sent", None), ("done", 42)]


async def test_after_the_last_attempt_the_outcome_is_unclear(journal: RunJournal) -> None:
    types = Types(*[UnclearOutcomeError("no answer")] * 2)
    with pytest.raises(UnclearOutcomeError):
        await create_once(types, "PC", journal=journal, waiting=WAITING, attempts=2)
    assert types.creations == 2


async def test_a_refused_name_that_somebody_else_made_is_taken(journal: RunJournal) -> None:
    types = Types(RejectedError("exists"), kept=True)
    assert await create_once(types, "PC", journal=journal, waiting=WAITING) == Created(41, here=False)
    assert await outcomes(journal) == [("failed", 41)]
    with pytest.raises(RejectedError):
        await create_once(Types(RejectedError("no")), "PC", journal=journal, waiting=WAITING)


@pytest.mark.parametrize(
    ("error", "outcome"), [(RetryableError("away"), "not_sent"), (StopError("no rights"), "failed")]
)
async def test_an_error_that_did_nothing_ends_it(journal: RunJournal, error: Exception, outcome: str) -> None:
    with pytest.raises(type(error)):
        await create_once(Types(error), "PC", journal=journal, waiting=WAITING)
    assert await outcomes(journal) == [(outcome, None)]


async def test_with_a_look_first_what_is_there_costs_no_creation(journal: RunJournal) -> None:
    types = Types()
    types.ids["PC"] = 7
    made = await create_once(types, "PC", journal=journal, waiting=WAITING, look_first=True)
    assert made == Created(7, here=False)
    assert types.creations == 0
    assert await outcomes(journal) == []


async def test_a_read_back_that_fails_leaves_the_write_open(journal: RunJournal) -> None:
    types = Types(UnclearOutcomeError("no answer"))

    async def fail(name: str) -> int | None:
        raise StopError("no rights")

    types.find = fail  # type: ignore[method-assign]
    with pytest.raises(StopError):
        await create_once(types, "PC", journal=journal, waiting=WAITING)
    assert await outcomes(journal) == [(None, None)]
