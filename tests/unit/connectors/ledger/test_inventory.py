"""What the ledger keeps of each company's inventory: amounts, links by tenant, links from the journal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.ledger.models import KnownLink, Operation, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tests.support.ledger import Hand, hand, ledger, place

__all__ = ["hand", "ledger", "place"]
pytestmark = pytest.mark.anyio

TENANT = "connectwise:host:bluelight"


async def test_amounts_come_back_with_their_time_and_their_scope(ledger: Ledger, hand: Hand) -> None:
    known = ledger.inventory
    hand.now = 1000.0
    await known.remember(TENANT, 7, amounts={("assets", "site"): 40, ("linked", ""): 9})
    hand.now = 2000.0
    await known.remember(TENANT, 7, amounts={("linked", ""): 8})
    await known.remember(TENANT, 8, amounts={("linked", ""): 1})
    amounts = await known.amounts(TENANT, 7)
    assert {name: each.number for name, each in amounts.items()} == {
        ("assets", "site"): 40,
        ("linked", ""): 8,
    }
    assert amounts["linked", ""].read_at == datetime.fromtimestamp(2000, UTC)
    assert await known.amounts("another", 7) == {}


async def test_a_key_has_one_configuration_in_a_tenant_whoever_notes_it(ledger: Ledger) -> None:
    known = ledger.inventory
    await known.remember(TENANT, 7, links={"a": 1, "b": 2})
    await known.remember("another", 7, links={"a": 9})
    await known.note_links(TENANT, [KnownLink("b", 8, 3), KnownLink("c", 8, 4)])
    assert await known.links(TENANT, 7) == {"a": 1}
    assert await known.links(TENANT, 8) == {"b": 3, "c": 4}
    assert await known.links_elsewhere(TENANT, 7, ["a", "b", "x"]) == {"b": KnownLink("b", 8, 3)}
    assert await known.count_elsewhere(TENANT, 7) == 2
    assert await known.other_tenants(TENANT, ["a", "b", "x"]) == {"another": 1}
    assert await known.other_tenants("another", ["a", "b", "x"]) == {TENANT: 2}
    await known.remember(TENANT, 8, links={"c": 5}, forgotten=["b"])
    assert await known.links(TENANT, 8) == {"c": 5}


async def test_an_undo_makes_fewer_of_both(ledger: Ledger) -> None:
    known = ledger.inventory
    await known.remember(TENANT, 7, amounts={("linked", ""): 2, ("x", ""): 1}, links={"a": 1, "b": 2})
    await known.forget(TENANT, 7, ["a"], ["linked"])
    assert await known.links(TENANT, 7) == {"b": 2}
    assert list(await known.amounts(TENANT, 7)) == [("x", "")]


@pytest.mark.parametrize("text", ["", "k" * 301, "a\x00b", "a\ud800", "a\nb"])
async def test_a_text_that_is_no_asset_key_is_not_kept(ledger: Ledger, text: str) -> None:
    await ledger.inventory.remember(TENANT, 7, links={text: 1, "good": 2})
    assert await ledger.inventory.links(TENANT, 7) == {"good": 2}
    assert await ledger.inventory.links_elsewhere(TENANT, 8, [text]) == {}


async def test_many_links_are_kept_and_looked_up(ledger: Ledger) -> None:
    links = {f"key-{number}": number for number in range(2000)}
    await ledger.inventory.remember(TENANT, 7, links=links)
    assert await ledger.inventory.links(TENANT, 7) == links
    assert len(await ledger.inventory.links_elsewhere(TENANT, 8, links.keys())) == 2000
    await ledger.inventory.forget(TENANT, 7, links.keys())
    assert await ledger.inventory.links(TENANT, 7) == {}


async def test_a_settled_batch_keeps_the_links_it_made(ledger: Ledger) -> None:
    batch_id, (write,) = await ledger.batches.open("run", "default", 7, ["a"], 0, [entry("create", "a")])
    await ledger.batches.close(batch_id, [WriteOutcome(write, "done", 5)], TENANT, [KnownLink("a", 7, 5)])
    assert await ledger.inventory.links(TENANT, 7) == {"a": 5}
    assert await ledger.inventory.written_links(TENANT, 7, "default") == {"a": 5}


async def test_the_journal_knows_the_links_that_runs_wrote_and_no_undo_deleted(ledger: Ledger) -> None:
    written: list[tuple[str, Operation, str | None, int | None, str]] = [
        ("run", "create", "a", 1, "done"),
        ("run", "modify", "b", 2, "done"),
        ("run", "create", "c", 3, "failed"),
        ("run", "create", "d", 4, "done"),
        ("undo", "delete", "d", 4, "done"),
        ("run", "create", None, 5, "done"),
        ("run", "modify", "b", 6, "done"),
    ]
    for run, operation, key, record_id, outcome in written:
        (write,) = await ledger.journal.begin(run, "default", 7, [entry(operation, key)])
        await ledger.journal.record_outcomes([WriteOutcome(write, outcome, record_id)])  # type: ignore[arg-type]
    assert await ledger.inventory.written_links(TENANT, 7, "default") == {"a": 1, "b": 6}
    assert await ledger.inventory.written_links(TENANT, 8, "default") == {}
    assert await ledger.inventory.written_links(TENANT, 7, "other") == {}


async def test_a_link_that_a_person_or_an_undo_took_away_is_no_written_link(ledger: Ledger) -> None:
    field, other = "customFields/5", "customFields/6"
    changes = [
        ("a", {field: None}, {field: "a"}),
        ("a", {field: "a", other: "x"}, {field: None, other: "x"}),
        ("b", {field: None}, {field: "b"}),
        ("b", {field: "b"}, {field: ""}),
    ]
    for key, before, after in changes:
        one = WriteEntry("modify", "configuration", 1 if key == "a" else 2, key, "name", before, after)
        (write,) = await ledger.journal.begin("run", "default", 7, [one])
        await ledger.journal.record_outcomes([WriteOutcome(write, "done")])
    assert await ledger.inventory.written_links(TENANT, 7, "default") == {}
    back = WriteEntry("modify", "configuration", 2, "b", "name", {field: None}, {field: "b"})
    (write,) = await ledger.journal.begin("run", "default", 7, [back])
    await ledger.journal.record_outcomes([WriteOutcome(write, "done")])
    assert await ledger.inventory.written_links(TENANT, 7, "default") == {"b": 2}


def entry(operation: Operation, key: str | None) -> WriteEntry:
    return WriteEntry(operation, "configuration", None, key, "name", None, None)
