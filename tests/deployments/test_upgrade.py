"""A ledger and a Prefect 3.8.8 database, both of commit 1c54c08, used by today's program.

Nothing is lost or done twice.

``tests/data/upgrade`` holds both, and the script that made them. In each feature's test today's program
first brings a sandbox into the state in which the old one left its own, with a new ledger, and then goes on
with the old one.
"""

from __future__ import annotations

import gc
import gzip
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from prefect import Flow, get_client
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_API_URL, PREFECT_HOME, temporary_settings
from pydantic import SecretStr

from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase
from connectors.ledger.store import Ledger
from deployments.blocks import save_field_nation_block, save_sandbox_blocks
from deployments.local.prefect import (
    KEY_FILE,
    WITHOUT_EVENTS,
    LocalPrefect,
    local_prefect,
    send_what_is_queued,
)
from deployments.local.sandbox import Sandbox, start_sandbox
from flows.dispatch_sweep import dispatch_sweep
from flows.undo_run import undo_run
from tasks.dispatch.settings import DispatchRules, DispatchSettings
from tests.support import upgrade_play as play

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

DATA = Path(__file__).resolve().parents[1] / "data" / "upgrade"
ONE_MOMENT = Path(play.__file__).with_name("one_moment")
KEY = "b2xkLWtleS1vbGQta2V5LW9sZC1rZXktb2xkLWtleS4="
OLD_PLACE = "127.0.0.1:8099"
CONFIGURATIONS = "company/configurations"
OLD, NEW = "old", "new"
"""Names of ledger blocks."""


@dataclass(frozen=True)
class Upgraded:
    """Today's Prefect server on the old database, a sandbox whose calendar stands still, a ledger of each."""

    server: LocalPrefect
    sandbox: Sandbox
    ledgers: Path

    def place(self, which: str) -> Path:
        return self.ledgers / f"{which}.db"

    def renew(self) -> None:
        """The old ledger as it was kept, and a new one that nobody has used."""
        for file in self.ledgers.glob("*.db*"):
            file.unlink()
        restore("ledger.sql.gz", self.place(OLD), at=self.sandbox.info["control"].split("/")[2])

    def rows(self, query: str, which: str = OLD) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.place(which)) as connection:
            return list(connection.execute(query))

    def writes(self) -> dict[str, int]:
        """The requests that change something since the last call, by system."""
        counted = self.sandbox.requests()
        self.sandbox.clear_requests()
        return {system: counted[system]["writes"] for system in ("connectwise", "lansweeper", "field_nation")}

    async def put(self, source: str, name: str, body: dict[str, Any]) -> None:
        """A message for the new ledger."""
        async with Ledger.open(self.place(NEW)) as ledger:
            await ledger.inbox.put(source, name, body)


NOTHING = {"connectwise": 0, "lansweeper": 0, "field_nation": 0}


def restore(name: str, place: Path, at: str = OLD_PLACE) -> None:
    """A database from its dump, with the sandbox's address as it is now."""
    text = gzip.decompress((DATA / name).read_bytes()).decode()
    with sqlite3.connect(place) as connection:
        connection.executescript(text.replace(OLD_PLACE, at))


@pytest.fixture(scope="module")
def old_blocks() -> dict[str, Any]:
    """The blocks as the old database had them, before a person gave the sandbox's new address."""
    return {}


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, one_authority: Path, old_blocks: dict[str, Any]
) -> Iterator[Upgraded]:
    home, ledgers = tmp_path_factory.mktemp("old-prefect"), tmp_path_factory.mktemp("ledgers")
    restore("prefect.sql.gz", home / "prefect.db")
    (home / KEY_FILE).write_text(KEY, encoding="ascii")
    with pytest.MonkeyPatch.context() as environment, local_prefect(home, WITHOUT_EVENTS) as server:
        environment.setenv("PYTHONPATH", str(ONE_MOMENT))
        settings = {
            PREFECT_API_URL: server.api_url,
            PREFECT_API_SSL_CERT_FILE: str(one_authority),
            PREFECT_HOME: home,
        }
        with start_sandbox() as sandbox, temporary_settings(settings):
            environment.delenv("PYTHONPATH")
            made = Upgraded(server, sandbox, ledgers)
            anyio.run(use_new_address, made, old_blocks)
            yield made
            send_what_is_queued()
            # What Prefect leaves open is found here, where its warning is let through.
            gc.collect()


async def use_new_address(made: Upgraded, old_blocks: dict[str, Any]) -> None:
    kinds: tuple[Any, ...] = (ConnectWiseConnection, LansweeperConnection, FieldNationConnection)
    for kind in (*kinds, LedgerDatabase, DispatchRules):
        old_blocks[kind.__name__] = await kind.aload("default")
    await save_sandbox_blocks(made.sandbox.info, made.place(NEW))
    await save_field_nation_block(made.sandbox.info)
    for name in (OLD, NEW):
        await LedgerDatabase(path=str(made.place(name))).save(name)


@pytest.fixture
def upgraded(servers: Upgraded) -> Upgraded:
    servers.renew()
    return servers


def plain(block: Any) -> dict[str, Any]:
    """A block's fields, its secrets in the open."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name in type(block).model_fields
        if not name.startswith("_") and (value := getattr(block, name)) is not None
    }


async def test_blocks_are_read_with_their_secrets(servers: Upgraded, old_blocks: dict[str, Any]) -> None:
    account, site = servers.sandbox.info["connectwise"], servers.sandbox.info["lansweeper"]
    platform = servers.sandbox.info["field_nation"]
    connectwise = plain(old_blocks["ConnectWiseConnection"])
    assert connectwise["site"] == f"http://{OLD_PLACE}"
    for name in ("company_id", "public_key", "private_key", "client_id"):
        assert connectwise[name] == account[name]
    assert plain(old_blocks["LansweeperConnection"])["access_token"] == site["access_token"]
    field_nation = plain(old_blocks["FieldNationConnection"])
    for name in ("client_id", "client_secret", "username", "password"):
        assert field_nation[name] == platform[name]
    assert field_nation["webhook_secret"] == "webhook-secret"
    assert old_blocks["LedgerDatabase"].path == "/opt/ledger.db"
    assert old_blocks["DispatchRules"].rules == DispatchSettings.model_validate(play.RULES)


async def test_deployments_lead_to_the_flows_of_today(servers: Upgraded) -> None:
    async with get_client() as client:
        found = await client.read_deployments(limit=200)
        names = {flow.id: flow.name for flow in await client.read_flows(limit=200)}
    assert len(found) == 42
    for deployment in found:
        flow: Flow[..., Any] = load_flow_from_entrypoint(str(deployment.entrypoint))
        assert flow.name == names[deployment.flow_id]
        assert set(deployment.parameters) <= set(flow.parameters.properties)


def as_the_old_one_wrote(upgraded: Upgraded) -> None:
    """Today's version takes some texts for fillers and leaves them out, which the old one wrote."""
    written = "SELECT record_id, after FROM writes WHERE operation = 'create' AND outcome = 'done'"
    now = {each["id"]: each for each in upgraded.sandbox.state(CONFIGURATIONS)}
    for number, after in upgraded.rows(written):
        old = json.loads(after)
        if now[number].get("modelNumber") in (None, "") and old.get("modelNumber"):
            upgraded.sandbox.edit(CONFIGURATIONS, number, {"modelNumber": old["modelNumber"]})


async def test_assets_are_not_created_twice(upgraded: Upgraded) -> None:
    sandbox = upgraded.sandbox
    play.scene(sandbox, "provider")
    assert (await play.synchronize(sandbox, NEW)).is_completed()
    as_the_old_one_wrote(upgraded)
    configurations = sandbox.state(CONFIGURATIONS)
    assert upgraded.writes() != NOTHING
    assert upgraded.rows("SELECT run_id, connection FROM batches_in_flight") == [("killed-run", "default")]
    done = (
        "SELECT operation, record_id, run_id FROM writes"
        " WHERE record_kind = 'configuration' AND operation <> 'create_reference' AND outcome = 'done'"
    )
    made = {number: operation for operation, number, _ in upgraded.rows(done)}
    [run_id] = {run_id for _, _, run_id in upgraded.rows(done)}
    assert sorted(made.values()) == ["create"] * 8 + ["modify"] * 4

    state = await play.synchronize(sandbox, OLD)

    assert state.is_completed(), state.message
    assert upgraded.writes() == NOTHING
    assert sandbox.state(CONFIGURATIONS) == configurations
    assert upgraded.rows("SELECT * FROM batches_in_flight") == []
    settled = upgraded.rows("SELECT outcome, record_id FROM writes WHERE run_id = 'killed-run'")
    assert [outcome for outcome, _ in settled] == ["done"] * 3
    assert {made[number] for _, number in settled} == {"create"}
    undo: Any = await undo_run(run_id, ledger=OLD, return_state=True)
    assert undo.is_completed(), undo.message
    assert upgraded.writes() == NOTHING
    assert (await undo.aresult())["steps"] == len(made)


async def test_assets_are_not_enriched_twice(upgraded: Upgraded) -> None:
    sandbox = upgraded.sandbox
    play.scene(sandbox, "enrichment")
    assert (await play.enrich(sandbox, NEW)).is_completed()
    assert upgraded.writes()["lansweeper"] > 0
    # How long requests took is left out: the old program kept none of it.
    known = "SELECT tenant, name FROM watermarks WHERE name <> 'request-seconds' ORDER BY tenant, name"
    tickets = "SELECT company_id, kind, ticket_id, last_updated, configuration_ids FROM ticket_links"
    before, new = upgraded.rows(known), upgraded.rows(known, NEW)
    earlier = [row for row in before if row[0].startswith("connectwise:")]
    [tenant] = {row[0] for row in new}
    assert {row[0] for row in earlier}.isdisjoint({tenant})
    assert [name for _, name in new] == [name for _, name in earlier]
    assert sorted(upgraded.rows(tickets, NEW)) == sorted(upgraded.rows(tickets))

    state = await play.enrich(sandbox, OLD)

    assert state.is_completed(), state.message
    assert upgraded.writes()["lansweeper"] == 0
    # What stood under the credential's key is the tenant's by now, ticket links and all.
    assert upgraded.rows(known) == sorted([*new, *[row for row in before if row not in earlier]])
    assert upgraded.rows("SELECT DISTINCT tenant FROM ticket_links") == [(tenant,)]
    [(runs,)] = upgraded.rows(
        "SELECT json_extract(value, '$.runs_since') FROM watermarks WHERE name LIKE 'tickets of%'"
    )
    assert runs == 1


def is_dispatch(row: tuple[Any, ...]) -> bool:
    return not str(row[0]).startswith(("connectwise:", "fieldnation:"))


async def test_tickets_are_not_dispatched_twice(upgraded: Upgraded) -> None:
    sandbox = upgraded.sandbox
    play.scene(sandbox, "dispatch")
    first, second, number = await play.dispatch(sandbox, NEW, upgraded.put)
    tables = {
        "dispatch_intents": "tenant, record_kind, record_id, generation, reference, state, work_order_id",
        "dispatch_effects": "tenant, work_order_id, name, state, result_id",
        "links": "tenant, left_kind, left_id, right_kind, right_id, details",
        "synced_notes": "tenant, work_order_id, origin, origin_id, copy_id, state",
        "inbox": "source, message_id, body, state, attempts",
        "watermarks": "tenant, name",
    }
    for table, columns in tables.items():
        query = f"SELECT {columns} FROM {table}"  # noqa: S608
        mine, old = (sorted(filter(is_dispatch, upgraded.rows(query, which))) for which in (NEW, OLD))
        # What rules name is looked up since a later version.
        assert [row for row in mine if "dispatch-rule-names" not in row] == old, table
    upgraded.writes()

    await play.look(number, OLD)
    assert upgraded.writes() == NOTHING
    served = await play.drain(OLD)

    assert (served.messages, served.results) == (2, {"created": 1})
    order, newer = sandbox.state("field_nation/work_orders")
    assert [order["id"], newer["incident_id"]] == [number, play.REFERENCE.format(second)]
    assert upgraded.rows("SELECT DISTINCT state FROM inbox") == [("done",)]
    upgraded.writes()
    await play.look(number, OLD)
    swept = await dispatch_sweep(dry_run=False, ledger=OLD)
    assert swept.counts() == {}
    assert upgraded.writes() == NOTHING
    intents = "SELECT record_id, work_order_id, state FROM dispatch_intents ORDER BY id"
    assert upgraded.rows(intents) == [(first, number, "created"), (second, newer["id"], "created")]
