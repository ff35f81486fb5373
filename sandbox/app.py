"""The three vendors as one ASGI application: routing, counting, faults, latency; no control addresses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.connectwise.app import connectwise_app
from sandbox.connectwise.callbacks import Callbacks
from sandbox.credentials import Credentials
from sandbox.data.generate import build_world
from sandbox.faults import Disturbance, Faults
from sandbox.field_nation.app import FieldNationApp
from sandbox.lansweeper.app import LansweeperApp
from sandbox.requests import Call, address_of, call_name, read_body, read_call, replay
from sandbox.switches import Switches
from sandbox.world import World


class SandboxApp:
    """One world with its three vendors, and what disturbs them. ``latency`` (s) is added to every request."""

    def __init__(self, world: World, latency: float = 0.0) -> None:
        self.faults = Faults()
        self._latency = latency
        self._background: set[asyncio.Task[None]] = set()
        self._serve(world)

    def _serve(self, world: World) -> None:
        self.world = world
        self.field_nation = FieldNationApp(world, self._in_background)
        self.callbacks = Callbacks(world, self._in_background)
        self._systems: dict[str, ASGIApp] = {
            "connectwise": connectwise_app(world),
            "lansweeper": LansweeperApp(world),
            "field_nation": self.field_nation,
        }

    def reset(
        self,
        seed: int,
        assets: int,
        scenario: str,
        switches: dict[str, Any],
        agreements: int | None = None,
        tickets: int | None = None,
    ) -> None:
        """Build a new world in the place of the old one: no faults, no late work, counts at zero.

        Raises:
            ValueError: an unknown scenario or switch, a negative number; nothing is changed then.
        """
        credentials: Credentials = self.world.credentials
        world = build_world(
            seed,
            assets,
            credentials,
            scenario=scenario,
            agreements=agreements,
            tickets=tickets,
            switches=Switches.of(switches),
        )
        for task in self._background:
            task.cancel()
        self.faults = Faults()
        self._serve(world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.callbacks.root = address_of(scope)
        body = await read_body(receive)
        if body is None:
            return
        call = read_call(scope, body)
        self.world.requests.note(call)
        if self.world.history.kept:
            self.world.history.arrived(call_name(call), call.query)
        faults = self.faults.take(call)
        if self._latency:
            await asyncio.sleep(self._latency)
        await self._answer(call, faults, scope, body, send)

    async def _answer(
        self, call: Call, faults: list[dict[str, Any]], scope: Scope, body: bytes, send: Send
    ) -> None:
        app = self._systems[call.system]
        if not faults:
            began = time.process_time()
            await app(scope, replay(body), send)
            self.world.requests.spent(call, time.process_time() - began)
            return
        disturbance = Disturbance(faults)
        await disturbance.run(app, self.world, call, scope, body, send, self._in_background)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
