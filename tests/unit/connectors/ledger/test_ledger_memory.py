"""Ticket links and watermarks: what a later run starts from."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection

from connectors.ledger.database import create_engine, database_url, writing
from connectors.ledger.migrate import FOLDER
from connectors.ledger.models import TicketLink
from connectors.ledger.store import Ledger
from tests.support.ledger_places import place, start_python

__all__ = ["place"]
pytestmark = pytest.mark.anyio

TENANT = "connectwise:host:owner"
SAVE = """
import sys, anyio
from connectors.ledger.models import TicketLink
from connectors.ledger.store import Ledger
async def main():
    async with Ledger.open(sys.argv[1]) as ledger:
        for turn in range(10):
            numbers = range(200) if int(sys.argv[2]) else reversed(range(200))
            links = [TicketLink("service", n, sys.argv[2], (n, turn)) for n in numbers]
            await ledger.ticket_links.save("t", 1, links)
            await ledger.state.set("t", "sweep", {"by": sys.argv[2], "turn": turn})
anyio.run(main)
"""


@pytest.fixture
async def ledger(place: str) -> AsyncIterator[Ledger]:
    async with Ledger.open(place) as ledger:
        yield ledger


def link(
    ticket: int, *configurations: int, kind: str = "service", at: str = "2026-11-21T09:00:00Z"
) -> TicketLink:
    return TicketLink(kind, ticket, at, configurations)


async def test_links_come_back_as_they_were_saved(ledger: Ledger) -> None:
    saved = [link(5, 70, 71), link(9), link(5, 3, kind="project", at="")]
    await ledger.ticket_links.save(TENANT, 7, saved)
    assert await ledger.ticket_links.of_company(TENANT, 7) == [saved[2], saved[0], saved[1]]


async def test_a_ticket_saved_again_is_replaced(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [link(5, 70), link(6, 71)])
    newer = link(5, 72, at="2026-11-22T09:00:00Z")
    await ledger.ticket_links.save(TENANT, 7, [link(5, 1), newer])
    assert await ledger.ticket_links.of_company(TENANT, 7) == [newer, link(6, 71)]


async def test_links_belong_to_a_tenant_and_a_company(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [link(5, 70)])
    await ledger.ticket_links.save(TENANT, 8, [link(5, 80)])
    await ledger.ticket_links.save("other", 7, [link(5, 90)])
    await ledger.ticket_links.forget(TENANT, 7, [("service", 5)])
    assert await ledger.ticket_links.of_company(TENANT, 7) == []
    assert await ledger.ticket_links.of_company(TENANT, 8) == [link(5, 80)]
    assert await ledger.ticket_links.of_company("other", 7) == [link(5, 90)]


async def test_only_the_named_tickets_are_forgotten(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [link(5), link(5, kind="project"), link(6)])
    await ledger.ticket_links.forget(TENANT, 7, [("service", 5), ("service", 99), ("service", 5)])
    assert await ledger.ticket_links.of_company(TENANT, 7) == [link(5, kind="project"), link(6)]


async def test_nothing_to_save_or_forget_is_nothing_to_do(ledger: Ledger) -> None:
    await ledger.ticket_links.save(TENANT, 7, [])
    await ledger.ticket_links.forget(TENANT, 7, [])
    assert await ledger.ticket_links.of_company(TENANT, 7) == []


async def test_a_watermark_is_the_last_that_was_set(ledger: Ledger) -> None:
    assert await ledger.state.get(TENANT, "ways") is None
    await ledger.state.set(TENANT, "ways", {"report": True})
    await ledger.state.set(TENANT, "ways", {"bundle": 20, "é": [None]})
    await ledger.state.set(TENANT, "other", {})
    assert await ledger.state.get(TENANT, "ways") == {"bundle": 20, "é": [None]}
    assert await ledger.state.get(TENANT, "other") == {}
    assert await ledger.state.get("other", "ways") is None


async def test_5000_tickets_are_saved_and_read_in_little_time(place: str) -> None:
    links = [link(number, number, number + 1) for number in range(5000)]
    async with Ledger.open(place) as ledger:
        started = time.process_time()
        await ledger.ticket_links.save(TENANT, 7, links)
        await ledger.ticket_links.save(TENANT, 7, links)
        assert await ledger.ticket_links.of_company(TENANT, 7) == links
        await ledger.ticket_links.forget(TENANT, 7, [("service", number) for number in range(5000)])
        assert time.process_time() - started < 3
        assert await ledger.ticket_links.of_company(TENANT, 7) == []


@pytest.mark.slow
async def test_two_processes_may_save_the_same_tickets_at_once(place: str) -> None:
    savers = [start_python("-c", SAVE, place, str(number)) for number in range(2)]
    assert [saver.communicate(timeout=60)[1] for saver in savers] == [b"", b""]
    async with Ledger.open(place) as ledger:
        saved = await ledger.ticket_links.of_company("t", 1)
        last = await ledger.state.get("t", "sweep")
    assert [one.ticket_id for one in saved] == list(range(200))
    # Each save is one transaction: all tickets are of one and the same.
    assert len({(one.last_updated, one.configuration_ids[1]) for one in saved}) == 1
    assert last is not None
    assert last["turn"] == 9


async def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_what_it_holds(place: str) -> None:
    def first_version(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    engine = create_engine(database_url(place))
    async with writing(engine, "make the first tables") as connection:
        await connection.run_sync(first_version)
        row = "INSERT INTO batches_in_flight VALUES (1, 'run', 'cw', 7, '[\"a\"]', 10, 1.5)"
        await connection.execute(text(row))
    await engine.dispose()
    async with Ledger.open(place) as ledger:
        (batch,) = await ledger.batches.in_flight("cw", 7)
        await ledger.state.set(TENANT, "ways", {"new": 1})
    assert batch.asset_keys == ["a"]
