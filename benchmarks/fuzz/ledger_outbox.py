"""State machines of the outbox: claims on intents and effects by two processes, against a plain model."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from benchmarks.fuzz.ledger_world import PROCESSES, LedgerMachine
from connectors.errors import StopError
from connectors.ledger.claims import ClaimLostError
from connectors.ledger.models import Claimed, Effect, Intent
from connectors.ledger.store import Ledger

SECONDS = 60.0
RECORDS = st.integers(1, 3)
RESULTS = st.integers(1, 5)
PROCESS = st.integers(0, PROCESSES - 1)
ATTEMPT = st.integers(0, 5)


@dataclass
class Row:
    """One row as the model has it."""

    record: int
    generation: int = 1
    state: str = "intent"
    result: int | None = None
    attempts: int = 0
    holder: str | None = None
    until: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """A process's claim: it may be lost, and the process does not know."""

    process: int
    row_id: int
    holder: str


class OutboxMachine(LedgerMachine):
    """What intents and effects share; a subclass says how a row is claimed, done and read."""

    final = "done"
    open_states: tuple[str, ...] = ("intent", "refused", "unresolved", "sent")

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, Row] = {}
        self.attempts: list[Attempt] = []
        self.looks = 0

    @abstractmethod
    def table(self, process: int) -> Any:
        """The part of a process's ledger that is tried."""

    @abstractmethod
    def claiming(
        self, process: int, record: int, holder: str, new: bool
    ) -> Coroutine[Any, Any, Claimed[Any]]:
        """A claim on the record's row; ``new``: on another generation's where the last was cancelled."""

    @abstractmethod
    def finishing(self, process: int, row_id: int, result: int) -> Coroutine[Any, Any, Any]:
        """The report that the row is done, with its result."""

    def may_finish(self, row_id: int, result: int) -> bool:
        """By the model: a row that is open, or done with this very result."""
        row = self.rows[row_id]
        return row.state in self.open_states or (row.state, row.result) == (self.final, result)

    def newest(self, record: int) -> int | None:
        """The id of a record's newest row."""
        ids = [row_id for row_id, row in self.rows.items() if row.record == record]
        return max(ids, key=lambda row_id: self.rows[row_id].generation, default=None)

    def expected_row(self, record: int, new: bool) -> Row | None:
        """The row that a claim finds, None where it makes one."""
        newest = self.newest(record)
        return None if newest is None else self.rows[newest]

    def is_ours(self, row: Row, free: bool) -> bool:
        """Whether a claim on a free row is the claimer's."""
        return free and row.state != self.final

    @rule(process=PROCESS, record=RECORDS, new=st.booleans())
    def claim(self, process: int, record: int, new: bool) -> None:
        holder = uuid.uuid4().hex
        expected = self.expected_row(record, new)
        claimed = self.world.run(self.claiming(process, record, holder, new))
        if expected is None:
            newest = self.newest(record)
            generation = 1 if newest is None else self.rows[newest].generation + 1
            expected = self.rows[claimed.row.id] = Row(record, generation)
        assert self.rows[claimed.row.id] is expected
        free = expected.holder is None or expected.until <= self.world.now
        if free:
            expected.holder, expected.until = holder, self.world.now + SECONDS
        assert claimed.ours is self.is_ours(expected, free)
        if claimed.ours:
            self.attempts.append(Attempt(process, claimed.row.id, holder))
        self.did("claim", "ours" if claimed.ours else "another's or done")

    def readers(self) -> list[Ledger]:
        """Whose reading is held against the model after a step: one after the other."""
        self.looks += 1
        return [self.world.processes[self.looks % PROCESSES]]

    def attempt(self, number: int) -> Attempt:
        return self.attempts[-1 - number % len(self.attempts)]

    def holds(self, one: Attempt) -> bool:
        return self.rows[one.row_id].holder == one.holder

    @precondition(lambda self: self.attempts)
    @rule(number=ATTEMPT)
    def mark_sent(self, number: int) -> None:
        one = self.attempt(number)
        row = self.rows[one.row_id]
        may = self.holds(one) and row.state in ("intent", "refused", "unresolved")
        marking = self.table(one.process).mark_sent(one.row_id, one.holder, seconds=SECONDS)
        self._does(may, marking, ClaimLostError)
        if may:
            row.state, row.attempts, row.until = "sent", row.attempts + 1, self.world.now + SECONDS
        self.did("mark_sent", "sent" if may else "lost")

    @precondition(lambda self: self.attempts)
    @rule(number=ATTEMPT, how=st.sampled_from(["refused", "unresolved"]))
    def end_attempt(self, number: int, how: str) -> None:
        one = self.attempt(number)
        row = self.rows[one.row_id]
        may = self.holds(one) and row.state in self.open_states
        self._does(may, getattr(self.table(one.process), how)(one.row_id, one.holder, "why"), ClaimLostError)
        if may:
            row.state, row.holder = how, None
        self.did(how, how if may else "lost")

    @precondition(lambda self: self.attempts)
    @rule(number=ATTEMPT)
    def release(self, number: int) -> None:
        one = self.attempt(number)
        self.world.run(self.table(one.process).release(one.row_id, one.holder))
        if self.holds(one):
            self.rows[one.row_id].holder = None
        self.did("release")

    @precondition(lambda self: self.attempts)
    @rule(number=ATTEMPT, result=RESULTS)
    def finish(self, number: int, result: int) -> None:
        """Counts from whoever reports it, holder or not."""
        one = self.attempt(number)
        row = self.rows[one.row_id]
        may = self.may_finish(one.row_id, result)
        self._does(may, self.finishing(one.process, one.row_id, result), StopError)
        if may and row.state != self.final:
            row.state, row.result, row.holder = self.final, result, None
        self.did("finish", "done" if may else "two of one")

    @rule(seconds=st.sampled_from([1.0, 30.0, 59.9, 60.0, 61.0, 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([-86_400.0, -10.0, 10.0, 86_400.0]))
    def clock_is_set(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(process=PROCESS)
    def crash(self, process: int) -> None:
        """Its claims stay until they run out; what it knew of them is gone."""
        self.world.crash(process)
        self.attempts = [one for one in self.attempts if one.process != process]
        self.did("crash")

    def _does(self, may: bool, doing: Coroutine[Any, Any, Any], refusal: type[Exception]) -> None:
        try:
            self.world.run(doing)
        except refusal:
            assert not may, "refused, though it may be done"
        else:
            assert may, "done, though it must be refused"


class IntentsMachine(OutboxMachine):
    """``ledger.intents``: one work order for one record and generation."""

    final = "created"

    def table(self, process: int) -> Any:
        return self.world.processes[process].intents

    def claiming(
        self, process: int, record: int, holder: str, new: bool
    ) -> Coroutine[Any, Any, Claimed[Any]]:
        one = (self.tenant, "service", record, f"CW-S-{record}")
        return self.world.processes[process].intents.claim(
            *one, holder=holder, seconds=SECONDS, new_generation=new
        )

    def finishing(self, process: int, row_id: int, result: int) -> Coroutine[Any, Any, Any]:
        return self.world.processes[process].intents.created(row_id, result)

    def may_finish(self, row_id: int, result: int) -> bool:
        others = [row.result for other, row in self.rows.items() if other != row_id]
        return result not in others and super().may_finish(row_id, result)

    def expected_row(self, record: int, new: bool) -> Row | None:
        found = super().expected_row(record, new)
        return None if found is not None and new and found.state == "cancelled" else found

    def is_ours(self, row: Row, free: bool) -> bool:
        return free

    @precondition(lambda self: self.attempts)
    @rule(number=ATTEMPT, even_unresolved=st.booleans())
    def cancel(self, number: int, even_unresolved: bool) -> None:
        one = self.attempt(number)
        row = self.rows[one.row_id]
        may = row.state != "sent" and (even_unresolved or row.state != "unresolved")
        cancelling = self.table(one.process).cancel(one.row_id, "why", even_unresolved=even_unresolved)
        self._does(may, cancelling, ClaimLostError)
        if may:
            row.state, row.holder = "cancelled", None
        self.did("cancel", "cancelled" if may else "unclear")

    @invariant()
    def every_process_reads_the_model(self) -> None:
        for record in {row.record for row in self.rows.values()}:
            row_id = self.newest(record)
            assert row_id is not None
            for each in self.readers():
                found: Intent | None = self.world.run(each.intents.newest(self.tenant, "service", record))
                assert found is not None
                row = self.rows[row_id]
                assert (found.id, found.generation) == (row_id, row.generation)
                assert (found.state, found.work_order_id, found.attempts) == (
                    row.state,
                    row.result,
                    row.attempts,
                )

    @invariant()
    def a_work_order_has_one_intent(self) -> None:
        for number in {row.result for row in self.rows.values() if row.result is not None}:
            found = self.world.run(self.world.processes[0].intents.of_work_order(self.tenant, number))
            owners = [row_id for row_id, row in self.rows.items() if row.result == number]
            assert owners == ([] if found is None else [found.id])


class EffectsMachine(OutboxMachine):
    """``ledger.effects``: a side effect of a work order that happens once."""

    def table(self, process: int) -> Any:
        return self.world.processes[process].effects

    def claiming(
        self, process: int, record: int, holder: str, new: bool
    ) -> Coroutine[Any, Any, Claimed[Any]]:
        one = (self.tenant, record, "completed note")
        return self.world.processes[process].effects.claim(*one, holder=holder, seconds=SECONDS)

    def finishing(self, process: int, row_id: int, result: int) -> Coroutine[Any, Any, Any]:
        return self.world.processes[process].effects.done(row_id, str(result))

    @invariant()
    def every_process_reads_the_model(self) -> None:
        for record in {row.record for row in self.rows.values()}:
            for each in self.readers():
                found: list[Effect] = self.world.run(each.effects.of_work_order(self.tenant, record))
                (effect,) = found
                row = self.rows[effect.id]
                result = None if row.result is None else str(row.result)
                assert (effect.state, effect.result_id, effect.attempts) == (row.state, result, row.attempts)
