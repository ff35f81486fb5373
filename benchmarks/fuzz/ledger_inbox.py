"""A state machine of the inbox: two receivers and two drains on one ledger, against a plain model."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from benchmarks.fuzz.ledger_world import PROCESSES, LedgerMachine
from connectors.ledger.inbox import NewMessage

SECONDS = 60.0
PROCESS = st.integers(0, PROCESSES - 1)
NAMES = st.integers(1, 6)


@dataclass
class Message:
    """One message as the model has it."""

    name: str
    state: str = "waiting"
    holder: str | None = None
    until: float = 0.0
    next_at: float = 0.0
    attempts: int = 0
    settled_at: float | None = None


@dataclass
class Drain:
    """What one process believes to hold."""

    holder: str
    ids: list[int] = field(default_factory=list)


class InboxMachine(LedgerMachine):
    """Each message is kept once, delivered to one holder at a time, and never lost before it is settled."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Message] = {}
        self.digests: dict[str, float] = {}
        self.ids: dict[int, str] = {}
        self.drains = [Drain(f"{self.tenant}-{each}") for each in range(PROCESSES)]
        self.kills = 0

    @rule(process=PROCESS, drawn=st.lists(st.tuples(NAMES, st.integers(0, 3)), min_size=1, max_size=5))
    def put(self, process: int, drawn: list[tuple[int, int]]) -> None:
        batch: list[NewMessage] = [(self.tenant, f"m{name}", {"id": name}) for name, _ in drawn]
        digests = [f"d{digest}" if digest else "" for _, digest in drawn]
        inbox = self.world.processes[process].inbox
        assert self.world.run(inbox.put_all(batch, digests)) == self._expected(batch, digests)
        self.did("put")

    def _expected(self, batch: list[NewMessage], digests: list[str]) -> list[bool]:
        """A digest counts once, whatever the id; an id counts once among those whose digest was new."""
        now, outcomes = self.world.now, []
        for (_, name, _), digest in zip(batch, digests, strict=True):
            fresh = not digest or digest not in self.digests
            if digest and fresh:
                self.digests[digest] = now
            kept = fresh and name not in self.messages
            if kept:
                self.messages[name] = Message(name, next_at=now)
            outcomes.append(kept)
        return outcomes

    @rule(process=PROCESS, limit=st.integers(1, 4))
    def claim(self, process: int, limit: int) -> None:
        now, drain = self.world.now, self.drains[process]
        inbox = self.world.processes[process].inbox
        found = self.world.run(inbox.claim(drain.holder, limit=limit, seconds=SECONDS, source=self.tenant))
        due = [
            one
            for one in self.messages.values()
            if one.state == "waiting" and one.next_at <= now and (one.holder is None or one.until <= now)
        ]
        assert len(found) == min(limit, len(due))
        for each in found:
            message = self.messages[each.message_id]
            assert message in due, "delivered to two holders, or too soon"
            message.holder, message.until = drain.holder, now + SECONDS
            message.attempts += 1
            assert (each.attempts, each.body["id"]) == (message.attempts, int(message.name[1:]))
            self.ids[each.id] = message.name
            drain.ids.append(each.id)
        self.did("claim", f"{len(found)} delivered")

    def _mine(self, process: int) -> list[Message]:
        drain = self.drains[process]
        held = [self.messages[self.ids[each]] for each in set(drain.ids) if self.ids[each] in self.messages]
        return [one for one in held if one.holder == drain.holder and one.state == "waiting"]

    @precondition(lambda self: any(drain.ids for drain in self.drains))
    @rule(process=PROCESS)
    def acknowledge(self, process: int) -> None:
        drain, mine = self.drains[process], self._mine(process)
        inbox = self.world.processes[process].inbox
        assert self.world.run(inbox.acknowledge(drain.ids, drain.holder)) == len(mine)
        self._settle(mine, "done")
        drain.ids.clear()
        self.did("acknowledge")

    @precondition(lambda self: any(drain.ids for drain in self.drains))
    @rule(process=PROCESS)
    def reject(self, process: int) -> None:
        drain, mine = self.drains[process], self._mine(process)
        self.world.run(self.world.processes[process].inbox.reject(drain.ids, drain.holder, "why"))
        self._settle(mine, "failed")
        drain.ids.clear()
        self.did("reject")

    def _settle(self, mine: list[Message], state: str) -> None:
        for one in mine:
            one.state, one.settled_at, one.holder = state, self.world.now, None

    @precondition(lambda self: any(drain.ids for drain in self.drains))
    @rule(process=PROCESS, after=st.sampled_from([0.0, 5.0, 600.0]), tried=st.booleans())
    def requeue(self, process: int, after: float, tried: bool) -> None:
        drain, mine = self.drains[process], self._mine(process)
        inbox = self.world.processes[process].inbox
        self.world.run(inbox.requeue(drain.ids, drain.holder, after=after, message="why", tried=tried))
        for one in mine:
            one.holder, one.next_at = None, self.world.now + after
            one.attempts -= not tried
        drain.ids.clear()
        self.did("requeue")

    @precondition(lambda self: any(drain.ids for drain in self.drains))
    @rule(process=PROCESS)
    def extend(self, process: int) -> None:
        drain, mine = self.drains[process], self._mine(process)
        inbox = self.world.processes[process].inbox
        held = self.world.run(inbox.extend(drain.ids, drain.holder, seconds=SECONDS))
        assert {self.ids[each] for each in held} == {one.name for one in mine}
        for one in mine:
            one.until = self.world.now + SECONDS
        self.did("extend")

    @rule(process=PROCESS, older_than=st.sampled_from([50.0, 5000.0]))
    def forget(self, process: int, older_than: float) -> None:
        self.world.run(self.world.processes[process].inbox.forget(older_than=older_than))
        before = self.world.now - older_than
        for name, one in list(self.messages.items()):
            if one.settled_at is not None and one.settled_at < before:
                del self.messages[name]
        self.digests = {name: at for name, at in self.digests.items() if at >= before}
        self.did("forget")

    @rule(process=PROCESS)
    def crash(self, process: int) -> None:
        """Whoever takes its place is another holder; what it held comes again once its claim has run out."""
        self.world.crash(process)
        self.kills += 1
        self.drains[process] = Drain(f"{self.tenant}-{process}-{self.kills}")
        self.did("crash")

    @rule(seconds=st.sampled_from([1.0, 30.0, 60.0, 61.0, 3600.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([-3600.0, -10.0, 10.0, 3600.0]))
    def clock_is_set(self, seconds: float) -> None:
        self.world.now += seconds

    @invariant()
    def nothing_is_lost(self) -> None:
        kept = self.world.run(self.world.states_of(self.tenant))
        assert kept == {name: one.state for name, one in self.messages.items()}
