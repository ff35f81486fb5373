"""Fault injection: which requests are disturbed, and how.

A rule is a JSON object, as ``PUT /_sandbox/faults`` takes it::

    {"system": "connectwise", "method": "POST", "path": "/company/configurations/bulk",
     "nth": [2], "fault": {"kind": "drop_after"}}

``system``, ``method``, ``path`` (a glob over the path under the API root, or over Lansweeper's root fields)
and ``query`` (a glob over ConnectWise's query in clear) choose the requests; ``nth`` (from 1), ``every``,
``share`` (0 to 1) and ``limit`` (most times) choose among those. All rules that apply to a request are
applied together: edits and delays around it, and at most one way to end it. ``KINDS`` has the kinds;
``wrong_read`` (``wrong_reads``) changes a right answer into one that is wrong and looks right.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Scope, Send

from sandbox.editing import apply_edit
from sandbox.requests import Background, Call, drop, path_template, replay, run_unheard
from sandbox.world import World
from sandbox.wrong_reads import HOW, WrongAnswer

Fault = dict[str, Any]

# Each kind of fault with the members it can't do without.
KINDS: dict[str, frozenset[str]] = {
    "status": frozenset({"status"}),
    "delay": frozenset({"seconds"}),
    "drop_before": frozenset(),
    "drop_after": frozenset(),
    "late": frozenset(),
    "partial": frozenset(),
    "edit": frozenset({"collection"}),
    "wrong_read": frozenset({"how"}),
}
_RULE_MEMBERS = frozenset({"system", "method", "path", "query", "nth", "every", "share", "limit", "fault"})
SCOPE_KEY = "sandbox.fault"


@dataclass
class Rule:
    """One rule with its own count of the requests it has seen."""

    fault: Fault
    system: str | None = None
    method: str | None = None
    path: str | None = None
    query: str | None = None
    nth: frozenset[int] = frozenset()
    every: int | None = None
    share: float | None = None
    limit: int | None = None
    draw: random.Random = field(default_factory=random.Random)
    seen: int = 0
    fired: int = 0

    def take(self, call: Call) -> bool:
        """Whether this request is disturbed; a request that matches is counted."""
        if not self._matches(call):
            return False
        self.seen += 1
        if (self.limit is not None and self.fired >= self.limit) or not self._is_turn():
            return False
        self.fired += 1
        return True

    def _matches(self, call: Call) -> bool:
        if self.system not in (None, call.system) or self.method not in (None, call.method):
            return False
        if self.query is not None and not fnmatchcase(call.query.lower(), self.query.lower()):
            return False
        if self.path is None:
            return True
        pattern = self.path.lower()
        names = {name.lower() for path in call.paths for name in (path, path_template(path))}
        return any(fnmatchcase(name, pattern) for name in names)

    def _is_turn(self) -> bool:
        if self.nth:
            return self.seen in self.nth
        if self.every is not None:
            return self.seen % self.every == 0
        return self.share is None or self.draw.random() < self.share


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def set(self, rules: list[dict[str, Any]], seed: int) -> None:
        """Put these rules in the place of all before; ValueError says in words what is wrong with one."""
        self._rules = [read_rule(rule, random.Random(f"{seed}-fault-{n}")) for n, rule in enumerate(rules)]

    def take(self, call: Call) -> list[Fault]:
        """The faults for this request, in the order of their rules."""
        return [rule.fault for rule in self._rules if rule.take(call)]

    def as_json(self) -> list[dict[str, Any]]:
        """How often each rule matched and was applied."""
        return [{"fault": rule.fault, "seen": rule.seen, "fired": rule.fired} for rule in self._rules]


def read_rule(rule: Any, draw: random.Random) -> Rule:
    """Read one rule. Raises ``ValueError`` naming the member that is wrong."""
    if not isinstance(rule, dict) or not isinstance(rule.get("fault"), dict):
        raise ValueError(f"a fault rule is an object with a fault: {rule!r}")
    unknown = sorted(set(rule) - _RULE_MEMBERS)
    if unknown:
        raise ValueError(f"a fault rule has no member {', '.join(unknown)}")
    kind = rule["fault"].get("kind")
    if kind not in KINDS:
        raise ValueError(f"no such kind of fault: {kind}; there are {', '.join(sorted(KINDS))}")
    missing = sorted(KINDS[kind] - set(rule["fault"]))
    if kind == "edit" and not {"set", "delete", "merge", "move"} & set(rule["fault"]):
        missing.append("set, delete, merge or move")
    if kind == "wrong_read" and rule["fault"].get("how") not in {*HOW, None}:
        raise ValueError(f"no such wrong read: {rule['fault']['how']}; there are {', '.join(sorted(HOW))}")
    if missing:
        raise ValueError(f"a fault of kind {kind} needs {', '.join(missing)}")
    members = {name: value for name, value in rule.items() if name != "nth"}
    nth = rule.get("nth")
    return Rule(**members, nth=frozenset([nth] if isinstance(nth, int) else nth or ()), draw=draw)


class Disturbance:
    """The faults of one request, sorted: edits and delays around it, a changed answer, one way to end it."""

    def __init__(self, faults: list[Fault]) -> None:
        self.edits_before = _edits(faults, "before")
        self.edits_after = _edits(faults, "after")
        self.delay = sum(float(fault["seconds"]) for fault in faults if fault["kind"] == "delay")
        self.ending = next(
            (f for f in faults if f["kind"] in ("status", "drop_before", "drop_after", "late")), None
        )
        partial = next((fault for fault in faults if fault["kind"] == "partial"), None)
        late = self.ending if self.ending and self.ending["kind"] == "late" else None
        self.for_handler = {**(late or {}), **(partial or {})} or None
        self.wrong_reads = [fault for fault in faults if fault["kind"] == "wrong_read"]

    @property
    def kind(self) -> str:
        """The kind of the fault that ends the request; empty: it is answered."""
        return self.ending["kind"] if self.ending else ""

    async def run(
        self,
        app: ASGIApp,
        world: World,
        call: Call,
        scope: Scope,
        body: bytes,
        send: Send,
        background: Background,
    ) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.kind == "status":
            await _refusal(self.ending or {})(scope, replay(body), send)
            return
        if self.kind == "drop_before":
            await drop(send)
            return
        work = self._work(app, world, call, {**scope, SCOPE_KEY: self.for_handler}, body)
        if self.kind == "late":
            background(_later(float((self.ending or {}).get("delay", 0)), work(None)))
            await drop(send)
        elif self.kind == "drop_after":
            await work(None)
            await drop(send)
        else:
            for fault in self.wrong_reads:
                send = WrongAnswer(fault, send).send
            await work(send)

    def _work(
        self, app: ASGIApp, world: World, call: Call, scope: Scope, body: bytes
    ) -> Callable[[Send | None], Coroutine[Any, Any, None]]:
        """The request itself with the edits around it; without a ``send`` nobody hears the answer."""

        async def work(send: Send | None) -> None:
            for fault in self.edits_before:
                apply_edit(world, fault, call)
            if send is None:
                world.history.unheard()
                await run_unheard(app, scope, body)
            else:
                await app(scope, replay(body), send)
            for fault in self.edits_after:
                apply_edit(world, fault, call)

        return work


def _edits(faults: list[Fault], when: str) -> list[Fault]:
    return [fault for fault in faults if fault["kind"] == "edit" and fault.get("when", "before") == when]


async def _later(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        work.close()
        raise
    await work


def _refusal(fault: Fault) -> Response:
    """The answer of a ``status`` fault: text bodies as they are, everything else as JSON."""
    body, headers = fault.get("body"), dict(fault.get("headers") or {})
    if isinstance(body, str):
        return Response(body, fault["status"], headers, media_type="text/html")
    content = b"" if body is None else json.dumps(body).encode()
    return Response(content, fault["status"], headers, media_type="application/json")
