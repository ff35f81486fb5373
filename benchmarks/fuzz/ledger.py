"""The ledger's claims, outbox, inbox and budget: hypothesis state machines against plain models.

One number of this target is one run of one machine, drawn from its own seed; what is counted are its steps.
On SQLite, and on PostgreSQL by turns: the server that the environment names, else, in the long form, one that
is started for it where the machine has the programs.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import asyncpg

from benchmarks.fuzz.ledger_budget import BudgetMachine
from benchmarks.fuzz.ledger_inbox import InboxMachine
from benchmarks.fuzz.ledger_outbox import EffectsMachine, IntentsMachine
from benchmarks.fuzz.ledger_world import LedgerMachine, LedgerWorld, run_machine
from benchmarks.fuzz.tally import RAW, WRONG, Tally, in_words
from connectors.ledger.database import database_url
from deployments.local.postgres import PostgresMissingError, postgres_cluster

NAME = "ledger"
INPUTS = 8_000
SHORT = 120
EXAMPLES = 6
POSTGRES = "CONNECTWISE_FLOWS_TEST_POSTGRES"
MACHINES: tuple[type[LedgerMachine], ...] = (IntentsMachine, InboxMachine, BudgetMachine, EffectsMachine)


async def run(tally: Tally, *, seed: int, inputs: int) -> None:
    """Runs machines one after the other until so many steps are done."""
    # The machines have loops of their own, for which this one's thread has no room.
    await asyncio.to_thread(_run_machines, tally, seed, inputs)


def _run_machines(tally: Tally, seed: int, inputs: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _database(start=inputs > SHORT) as postgres:
        places = [str(Path(folder) / "ledger.db"), *postgres]
        for number in tally.numbers(inputs):
            if tally.inputs >= inputs:
                return
            machine = MACHINES[number % len(MACHINES)]
            place = places[number // len(MACHINES) % len(places)]
            _run_one(tally, machine, place, number, seed)


def _run_one(tally: Tally, machine: type[LedgerMachine], place: str, number: int, seed: int) -> None:
    system = place.partition(":")[0] if "://" in place else "sqlite"

    def count(kind: str, outcome: str) -> None:
        tally.count(f"{system} {kind}", outcome)

    try:
        with LedgerWorld(place, count) as world:
            run_machine(machine, world, examples=EXAMPLES, given=seed * 1_000_000 + number)
    except Exception as error:
        what = WRONG if isinstance(error, AssertionError) else RAW
        steps = "\n".join(getattr(error, "__notes__", []))
        tally.problem(what, f"{system} {machine.__name__}", f"{in_words(error)}\n{steps}", number)


@contextmanager
def _database(*, start: bool) -> Iterator[list[str]]:
    """The address of an empty PostgreSQL database, none where there is no server and none can be started."""
    with ExitStack() as stack:
        server = os.environ.get(POSTGRES, "")
        if start and not server:
            with suppress(PostgresMissingError):
                server = stack.enter_context(postgres_cluster())
        if not server:
            yield []
            return
        name = f"ledger_fuzz_{uuid.uuid4().hex}"
        asyncio.run(_on_server(server, f"CREATE DATABASE {name}"))
        try:
            yield [database_url(server).set(database=name).render_as_string(hide_password=False)]
        finally:
            asyncio.run(_on_server(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _on_server(server: str, statement: str) -> None:
    address = database_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    await connection.execute(statement)
    await connection.close()
