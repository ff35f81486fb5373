"""Two processes on one ledger, with a clock that the machines move, for state machines against a model.

A process is a ledger of its own on the same database. ``crash`` drops its connections without handing
anything back, as a kill does, and opens another. Rows of different examples do not meet: each names
its own tenant.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from sqlalchemy import select

from connectors.ledger.database import Clock, reading
from connectors.ledger.schema import inbox
from connectors.ledger.store import Ledger

START = 1_700_000_000.0
STEPS = 30
PROCESSES = 2
T = TypeVar("T")
Count = Callable[[str, str], None]


class LedgerWorld:
    """The processes, their time, and the loop in which they work; ``with LedgerWorld(place) as world``.

    ``now`` is the clock of the machine or the database, which may be set wrong; ``passed`` is the time that
    really went by.
    """

    def __init__(self, place: str | Path, count: Count = lambda _kind, _outcome: None) -> None:
        self._place = place
        self._runner = asyncio.Runner()
        self.count = count
        self.now = START
        self.passed = 0.0
        self.processes: list[Ledger] = []

    def __enter__(self) -> LedgerWorld:
        self._runner.__enter__()
        for _ in range(PROCESSES):
            self.processes.append(self.run(self._opened()))
        return self

    def __exit__(self, *error: Any) -> None:
        for each in self.processes:
            self.run(each.close())
        self._runner.__exit__(*error)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does one thing to its end."""
        return self._runner.run(work)

    def advance(self, seconds: float) -> None:
        """Time goes by, and the clock with it."""
        self.now += seconds
        self.passed += seconds

    def crash(self, process: int) -> None:
        """Ends a process as a kill does, and starts another one in its place."""
        # Its connections go, nothing else is done for it: no tokens and no claims are handed back.
        self.run(self.processes[process]._engine.dispose())
        self.processes[process] = self.run(self._opened())

    async def states_of(self, source: str) -> dict[str, str]:
        """The state of each message of the inbox by its id."""
        query = select(inbox.c.message_id, inbox.c.state).where(inbox.c.source == source)
        async with reading(self.processes[0]._engine, "read the inbox") as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def _opened(self) -> Ledger:
        async def sleep(seconds: float) -> None:
            self.advance(seconds)
            await asyncio.sleep(0)

        clock = Clock(now=lambda: self.now, monotonic=lambda: self.passed, sleep=sleep)
        return await Ledger.open(self._place, clock=clock)


class LedgerMachine(RuleBasedStateMachine):
    """The base of the machines; ``world`` is set by ``machine_in``."""

    world: ClassVar[LedgerWorld]

    def __init__(self) -> None:
        super().__init__()
        self.tenant = uuid.uuid4().hex

    def did(self, step: str, outcome: str = "as the model") -> None:
        """Counts one step."""
        self.world.count(f"{type(self).__name__} {step}", outcome)


def run_machine(
    machine: type[LedgerMachine], world: LedgerWorld, *, examples: int, given: int, shrink: bool = True
) -> None:
    """Runs a machine in a world, drawn from the seed that is ``given``.

    AssertionError: the world and the model differ; its notes are the shortest steps that lead there.
    """
    in_world = type(machine.__name__, (machine,), {"world": world})
    run_state_machine_as_test(
        seed(given)(in_world),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
            suppress_health_check=list(HealthCheck),
        ),
    )
