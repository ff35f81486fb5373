"""The list of all writes: of the journal and of dispatch, by run and by time."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import anyio
import pytest

from connectors.ledger.database import Clock
from connectors.ledger.models import WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from deployments.list_writes import as_moment, main
from tests.support.ledger import place

__all__ = ["place"]
NOON = 1_700_000_000.0


async def write_all(where: str) -> None:
    """One write of each kind by run "one", a second apart, and one of another run the day after."""
    seconds = NOON
    async with Ledger.open(where, clock=Clock(now=lambda: seconds)) as ledger:
        ledger.note_run("one")
        entry = WriteEntry("modify", "configuration", 5, None, "PC", {"name": "a"}, {"name": "b"})
        done, _ = await ledger.journal.begin("one", "block", 7, [entry, entry], tenant="cw")
        await ledger.journal.record_outcomes([WriteOutcome(done, "done")])
        seconds += 1
        intent = await ledger.intents.claim("both", "service", 12, "CW-S-12", holder="h", seconds=60)
        await ledger.intents.claim("both", "service", 13, "CW-S-13", holder="h", seconds=60)
        await ledger.intents.mark_sent(intent.row.id, "h", seconds=60)
        await ledger.intents.created(intent.row.id, 4711)
        seconds += 1
        effect = await ledger.effects.claim("both", 4711, "assigned/note", holder="h", seconds=60)
        await ledger.effects.mark_sent(effect.row.id, "h", seconds=60)
        await ledger.effects.refused(effect.row.id, "h", "no right")
        seconds += 1
        note = await ledger.notes.claim("both", 4711, "connectwise", "service/9", holder="h", seconds=60)
        await ledger.notes.mark_sent(note.row.id, "h", seconds=60)
        seconds += 86_400
        await ledger.journal.begin("two", "block", 7, [entry])


@pytest.mark.anyio
async def test_every_write_is_listed_by_run_and_by_time(place: str) -> None:
    await write_all(place)
    async with Ledger.open(place) as ledger:
        of_run = await ledger.write_list.find(run_id="one", most=100)
        assert [(each.operation, each.kind, each.record, each.outcome) for each in of_run] == [
            ("modify", "configuration", "5", "done"),
            ("modify", "configuration", "5", "begun"),
            ("create", "work order", "4711", "created"),
            ("assigned/note", "ticket", "", "refused"),
            ("copy note", "work order message", "", "sent"),
        ]
        assert {each.run_id for each in of_run} == {"one"}
        assert of_run[2].name == "CW-S-12, service 12"
        assert of_run[3].message == "no right"
        noon = datetime.fromtimestamp(NOON, UTC)
        later = datetime.fromtimestamp(NOON + 2.5, UTC)
        assert len(await ledger.write_list.find(since=noon, until=later, most=100)) == 4
        assert [each.run_id for each in await ledger.write_list.find(since=later, most=100)] == ["one", "two"]
        assert [each.run_id for each in await ledger.write_list.find(most=2)] == ["one", "two"]


def test_the_command_prints_them_as_csv(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    where = f"{tmp_path}/ledger.db"
    anyio.run(write_all, where)
    assert main(["--ledger", where, "--run", "one"]) == 0
    printed = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert [row["operation"] for row in rows] == ["modify", "modify", "create", "assigned/note", "copy note"]
    assert rows[0]["at"] == "2023-11-14T22:13:20+00:00"
    assert "5 writes." in printed.err
    assert main(["--ledger", where]) == 0
    assert capsys.readouterr().err == "0 writes.\n"


def test_a_ledger_that_can_t_be_read_is_one_sentence(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    file = f"{tmp_path}/ledger.db"
    with open(file, "w", encoding="ascii") as broken:
        broken.write("no database, but long enough to be none" * 50)
    assert main(["--ledger", file]) == 1
    assert "The ledger could not" in capsys.readouterr().err


def test_times_without_a_zone_are_utc() -> None:
    assert as_moment("2026-11-29T08:00") == datetime(2026, 11, 29, 8, tzinfo=UTC)
    assert as_moment("2026-11-29T08:00+02:00").hour == 8
