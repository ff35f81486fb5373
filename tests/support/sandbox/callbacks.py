"""A whole sandbox in this process with the scenario `dispatch`, and a receiver of its callbacks."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sandbox.app import SandboxApp
from sandbox.control import with_control
from sandbox.credentials import mint_credentials
from sandbox.data.generate import build_world

API = "/v4_6_release/apis/3.0"


class Receiver:
    """Hears callbacks on a loopback port; answers ``statuses`` in turn, then 204; None never answers."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.url = ""

    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.heard]

    def told(self) -> list[tuple[str, str, int]]:
        """Action, type and id of each message."""
        return [(one["Action"], one["Type"], one["ID"]) for one in self.payloads()]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:-2])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.heard.append((lines[0].split(" ")[1], headers, body))
        status = self.statuses.pop(0) if self.statuses else 204
        if status is not None:
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        else:
            await reader.read()
        writer.close()


class Place:
    """The sandbox with a caller that has the API member's keys."""

    def __init__(self, **switches: Any) -> None:
        keys = mint_credentials(7)
        self.app = SandboxApp(build_world(7, 2, keys, scenario="dispatch", tickets=6))
        self.app.world.switches.change({"callback_waits": [0.02, 0.04], **switches})
        text = f"{keys.company_id}+{keys.public_key}:{keys.private_key}"
        headers = {
            "clientId": keys.client_id,
            "Authorization": "Basic " + base64.b64encode(text.encode()).decode(),
        }
        transport = httpx.ASGITransport(app=with_control(self.app))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8443", headers=headers)
        tickets = self.app.world.store.collection("service/tickets").values()
        board = next(
            number
            for number, one in self.app.world.store.collection("service/boards").items()
            if one["name"] == "Field Services"
        )
        self.board = board
        self.tickets = [one["id"] for one in tickets if one["board"] == {"id": board}]

    async def call(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """One request; its answer has to have that status (usual: 200, 201 for POST, 204 for DELETE)."""
        answer = await self.http.request(method, API + path, json=body)
        wanted = status or {"POST": 201, "DELETE": 204}.get(method, 200)
        assert answer.status_code == wanted, answer.text
        return answer.json() if answer.content else None

    async def register(self, to: Receiver, **members: Any) -> dict[str, Any]:
        entry = {"url": f"{to.url}?recordId=", "objectId": 1, "type": "Ticket", "level": "Owner", **members}
        return dict(await self.call("POST", "/system/callbacks", entry))

    async def set_status(self, ticket: int, name: str) -> None:
        change = {"op": "replace", "path": "status", "value": {"name": name}}
        await self.call("PATCH", f"/service/tickets/{ticket}", [change])

    async def control(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        answer = await self.http.request(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code in ((200, 204) if status is None else (status,)), answer.text
        return answer.json() if answer.content else None

    async def settle(self) -> None:
        """Wait until everything on its way has ended."""
        while self.app._background:
            await asyncio.gather(*self.app._background)


@asynccontextmanager
async def place(**switches: Any) -> AsyncIterator[Place]:
    """The sandbox; what is still on its way at the end is dropped."""
    made = Place(**switches)
    try:
        yield made
    finally:
        for task in list(made.app._background):
            task.cancel()
        await made.http.aclose()


@asynccontextmanager
async def receiver(*statuses: int | None) -> AsyncIterator[Receiver]:
    """A receiver while the block runs."""
    made = Receiver(*statuses)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/psa"
    async with server:
        yield made
