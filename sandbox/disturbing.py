"""Carries out the faults of one request around the application that would answer it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Scope, Send

from sandbox.call import Call
from sandbox.connection import drop, replay, run_unheard
from sandbox.editing import apply_edit
from sandbox.faults import Fault
from sandbox.world import World

Background = Callable[[Coroutine[Any, Any, None]], None]

SCOPE_KEY = "sandbox.fault"


class Disturbance:
    """The faults of one request, sorted: edits and delays around it, and one way to end it."""

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

    @property
    def kind(self) -> str:
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
        """Answer the request, or not, as the faults say."""
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
