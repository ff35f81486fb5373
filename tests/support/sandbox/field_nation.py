"""Field Nation's servers in this process, with a caller that has a token, and a listener for webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sandbox.credentials import mint_credentials
from sandbox.data.generate import build_world
from sandbox.field_nation.access import TOKEN_PATH
from sandbox.field_nation.app import FieldNationApp

REST = "/api/rest/v2"
HOOKS = "/api/v1/webhooks"
WHOLE: dict[str, Any] = {
    "title": "[CW-101] Replace the access point",
    "description": {"html": "<p>Bring a ladder &amp; cable</p>"},
    "types_of_work": [{"id": 103, "isPrimary": True}],
    "incident_id": "CW-101",
    "location": {
        "mode": "custom",
        "address1": "1 Harbour Street",
        "city": "Tampa",
        "state": "FL",
        "zip": "33602",
        "country": "US",
    },
    "schedule": {
        "service_window": {"mode": "exact", "start": {"local": {"date": "2026-12-01", "time": "09:00:00"}}}
    },
    "pay": {"type": "fixed", "base": {"amount": 150, "units": 1}},
    "custom_fields": {"results": [{"results": [{"id": 801, "value": "101"}]}]},
}


class Place:
    """One world's Field Nation, and every answer at hand."""

    def __init__(self, **switches: Any) -> None:
        self.world = build_world(7, 1, mint_credentials(7))
        self.world.switches.change(switches)
        self.tasks: set[asyncio.Task[None]] = set()
        self.app = FieldNationApp(self.world, self._in_background)
        transport = httpx.ASGITransport(app=self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        self.token = ""

    def grant(self, **changes: Any) -> dict[str, Any]:
        keys = self.world.credentials.field_nation
        names = ("client_id", "client_secret", "username", "password")
        return {"grant_type": "password", **{name: getattr(keys, name) for name in names}, **changes}

    async def log_in(self) -> None:
        answer = await self.http.post(TOKEN_PATH, json=self.grant())
        self.token = answer.json()["access_token"]

    async def rest(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        params = {"access_token": self.token, **query}
        return await self.http.request(method, REST + path, params=params, json=body)

    async def hooks(self, method: str, path: str = "", body: Any = None, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.request(method, HOOKS + path, params=query, json=body, headers=headers)

    async def order(self, **changes: Any) -> int:
        """A whole draft; its id."""
        answer = await self.rest("POST", "/workorders", {**WHOLE, **changes})
        return int(answer.json()["id"])

    async def settle(self) -> None:
        """Wait until every delivery on its way has ended."""
        while self.tasks:
            await asyncio.gather(*self.tasks)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


@asynccontextmanager
async def place(**switches: Any) -> AsyncIterator[Place]:
    """Field Nation with a token; what is still on its way at the end is dropped."""
    made = Place(**switches)
    await made.log_in()
    try:
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await made.http.aclose()


class Listener:
    """A receiver of webhooks on a loopback port; answers ``statuses`` in turn, then 204."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    def events(self) -> list[str]:
        return [json.loads(body)["event"]["name"] for _, body in self.heard]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head)}
        self.heard.append((headers, await reader.readexactly(int(headers["content-length"]))))
        status = self.statuses.pop(0) if self.statuses else 204
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def listener(*statuses: int) -> AsyncIterator[Listener]:
    """A listener while the block runs."""
    made = Listener(*statuses)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/field-nation"
    async with server:
        yield made
