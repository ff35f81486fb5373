"""The ledger's claims, outbox, inbox and budget: hypothesis state machines against plain models.

One number of this target is one run of one machine, drawn from its own seed; what is counted are its steps.
On SQLite, and on PostgreSQL by turns: the server that the environment names, else, in the long form, one that
is started for it where the machine has the programs.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from benchmarks.fuzz.ledger_budget import BudgetMachine
from benchmarks.fuzz.ledger_inbox import InboxMachine
from benchmarks.fuzz.ledger_outbox import EffectsMachine, IntentsMachine
from benchmarks.fuzz.ledger_world import LedgerMachine, LedgerWorld, run_machine
from benchmarks.fuzz.tally import RAW, WRONG, Tally, in_words
from deployments.local.postgres import TEST_SERVER, PostgresMissingError, new_database, postgres_cluster

NAME = "ledger"
INPUTS = 8_000
SHORT = 120
EXAMPLES = 6
MACHINES: tuple[type[LedgerMachine], ...] = (IntentsMachine, InboxMachine, BudgetMachine, EffectsMachine)


async def run(tally: Tally, *, inputs: int) -> None:
    """Runs machines one after the other until so many steps are done."""
    with tempfile.TemporaryDirectory() as folder:
        async with _database(start=inputs > SHORT) as postgres:
            places = [str(Path(folder) / "ledger.db"), *postgres]
            # The machines have loops of their own, for which this one's thread has no room.
            await asyncio.to_thread(_run_machines, tally, places, inputs)


def _run_machines(tally: Tally, places: list[str], inputs: int) -> None:
    for number in tally.numbers(inputs):
        if tally.inputs >= inputs:
            return
        machine = MACHINES[number % len(MACHINES)]
        _run_one(tally, machine, places[number // len(MACHINES) % len(places)], number)


def _run_one(tally: Tally, machine: type[LedgerMachine], place: str, number: int) -> None:
    system = place.partition(":")[0] if "://" in place else "sqlite"

    def count(kind: str, outcome: str) -> None:
        tally.count(f"{system} {kind}", outcome)

    try:
        with LedgerWorld(place, count) as world:
            run_machine(machine, world, examples=EXAMPLES, given=tally.seed * 1_000_000 + number)
    except Exception as error:
        what = WRONG if isinstance(error, AssertionError) else RAW
        steps = "\n".join(getattr(error, "__notes__", []))
        tally.problem(what, f"{system} {machine.__name__}", f"{in_words(error)}\n{steps}", number)


@asynccontextmanager
async def _database(*, start: bool) -> AsyncIterator[list[str]]:
    """The address of an empty PostgreSQL database, none where there is no server and none can be started."""
    async with AsyncExitStack() as stack:
        server = os.environ.get(TEST_SERVER, "")
        if start and not server:
            with suppress(PostgresMissingError):
                server = stack.enter_context(postgres_cluster())
        yield [await stack.enter_async_context(new_database(server))] if server else []
