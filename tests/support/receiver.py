"""A receiver on a real socket, a server of signing keys beside it, and messages as the vendors sign them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.store import Ledger
from deployments.receiver.app import Receiver
from deployments.receiver.server import server_config
from deployments.receiver.settings import ReceiverSettings
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH

SECRET = "5f4dcc3b-5aa7-4000-8000-65d61d8327de"
EMPTY: list[Path] = []
KEY = "the signing key of the login company"


@dataclass
class KeyServer:
    """Serves ``keys`` by name to whoever logs in; ``asked`` is every name, ``pause`` its slowness."""

    keys: dict[str, str] = field(default_factory=lambda: {"1": KEY})
    asked: list[str] = field(default_factory=list)
    pause: float = 0.0
    status: int = 200
    address: str = ""

    def renew(self) -> None:
        """As at the start."""
        self.keys, self.asked, self.pause, self.status = {"1": KEY}, [], 0.0, 200

    async def answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        await asyncio.sleep(self.pause)
        if not request.headers.get("authorization", "").startswith("Basic "):
            return Response(status_code=401)
        if self.status != 200 or name not in self.keys:
            return Response(status_code=404 if self.status == 200 else self.status)
        return JSONResponse({"signing_key": self.keys[name]})

    def url(self, name: str = "1") -> str:
        return f"{self.address}/v4_6_release/apis/3.0/system/callbackkeys/{name}"


@dataclass
class World:
    """A running receiver. ``callback`` and ``webhook`` send a message and answer the status."""

    receiver: Receiver
    keys: KeyServer
    http: httpx.AsyncClient
    ledger: Path

    async def callback(
        self, message: dict[str, Any] | None = None, *, key: str = KEY, **headers: str | None
    ) -> int:
        raw = json.dumps(message or self.message()).encode()
        sent = {"x-content-signature": signed(raw, key)} | headers
        return await self.post(f"{CONNECTWISE_PATH}?recordId=7&action=updated", raw, sent)

    async def webhook(self, body: dict[str, Any] | None = None, **headers: str | None) -> int:
        raw = json.dumps(body or webhook_body()).encode()
        return await self.post(FIELD_NATION_PATH, raw, delivery(raw) | headers)

    async def post(self, path: str, raw: bytes, headers: dict[str, str | None]) -> int:
        given = {name: value for name, value in headers.items() if value is not None}
        return (await self.http.post(path, content=raw, headers=given)).status_code

    def message(self, **changes: Any) -> dict[str, Any]:
        """A callback's payload, as recorded of a real server."""
        entity = {"id": 7, "summary": "No link", "recordType": "ServiceTicket", "company": {"id": 19}}
        return {
            "MessageId": str(uuid.uuid4()),
            "FromUrl": "na.myconnectwise.net",
            "CompanyId": "bluelight",
            "MemberId": "jdoe",
            "Action": "updated",
            "Type": "ticket",
            "ID": 7,
            "ProductInstanceId": str(uuid.uuid4()),
            "PartnerId": None,
            "Entity": json.dumps(entity),
            "Metadata": {"key_url": self.keys.url()},
            "CallbackObjectRecId": 1,
        } | changes

    def count(self, name: str, source: str | None = None, reason: str | None = None) -> int:
        return self.receiver.counts.of(name, source, reason)

    async def stored(self, name: str) -> dict[str, Any] | None:
        """A state entry of the tenant."""
        vendor = self.receiver._settings.connectwise
        assert vendor is not None
        async with Ledger.open(self.ledger) as ledger:
            return await ledger.state.get(vendor.tenant_key, name)

    async def kept(self) -> list[dict[str, Any]]:
        """What lies in the inbox, oldest first."""
        async with Ledger.open(self.ledger) as ledger:
            found = await ledger.inbox.claim("test", limit=500, seconds=1)
        return [{"source": each.source, "name": each.message_id, **each.body} for each in found]


async def until(found: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Waits, 5 seconds at most, until what is found is what is wanted."""
    for _ in range(100):
        if (last := await found()) == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{last!r} is not {wanted!r}")


def signed(raw: bytes, key: str = KEY) -> str:
    """base64 of HMAC-SHA256, keyed with the SHA-256 of the key's text."""
    return base64.b64encode(hmac.digest(hashlib.sha256(key.encode()).digest(), raw, "sha256")).decode()


def webhook_body(number: int = 4711) -> dict[str, Any]:
    return {
        "event": {"name": "workorder.status.assigned", "params": {"work_order_id": number, "status_id": 3}},
        "timestamp": datetime.now(UTC).isoformat(),
        "triggered_by_user": {"id": 12},
        "workorder": {"id": number, "title": "[CW-S-7] No link", "location": {"city": "Austin"}},
    }


def delivery(raw: bytes, secret: str = SECRET, *, age: float = 0.0) -> dict[str, str | None]:
    """The headers of a delivery."""
    return {
        "X-FN-Signature": "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex(),
        "X-FN-Delivery-Id": f"{uuid.uuid4()}:1",
        "X-FN-Request-Timestamp": str(int((time.time() - age) * 1000)),
    }


@asynccontextmanager
async def world(keys: KeyServer, folder: Path, *, new: bool = True, **changes: Any) -> AsyncIterator[World]:
    """Start a receiver that fetches its keys from ``keys``; it ends with the block.

    ``new``: with an empty ledger, else with the one that lies in the folder.
    """
    keys.renew()
    if new:
        shutil.copy(await migrated(), folder / "ledger.db")
    config = server_config(replace(receiver_settings_for(folder, keys.address), **changes))
    async with (
        serving(config) as address,
        # Plain http: certificates would be read for nothing.
        httpx.AsyncClient(base_url=address, timeout=20, verify=False) as http,  # noqa: S501
    ):
        app: Any = config.app
        yield World(app.state.receiver, keys, http, folder / "ledger.db")


@contextmanager
def key_server() -> Iterator[KeyServer]:
    """A server of keys in a thread of its own, for many tests: stopping one takes longer than a test."""
    keys = KeyServer()
    app = Starlette(routes=[Route("/v4_6_release/apis/3.0/system/callbackkeys/{name}", keys.answer)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    keys.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield keys
    finally:
        server.should_exit = True
        thread.join(10)


async def migrated() -> Path:
    """An empty ledger, made once: making its tables takes longer than most tests."""
    if not EMPTY:
        EMPTY.append(Path(tempfile.mkdtemp(prefix="receiver-")) / "ledger.db")
        async with Ledger.open(EMPTY[0]):
            pass
    return EMPTY[0]


def receiver_settings_for(folder: Path, site: str) -> ReceiverSettings:
    company = ConnectWiseSettings(
        site, "bluelight", "public", "private", "2f6b6d5c-0000-4000-8000-000000000001"
    )
    return ReceiverSettings(
        ledger=folder / "ledger.db",
        connectwise=company,
        key_hosts=frozenset({"api-na.myconnectwise.net"}),
        webhook_secret=SECRET,
        port=0,
        body_limit=100_000,
    )


@asynccontextmanager
async def serving(config: uvicorn.Config) -> AsyncIterator[str]:
    """A server in this loop, on a free port; its address."""
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), running.result()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running
