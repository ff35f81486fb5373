"""Requests against the receiver: malformed, forged and odd ones, told apart by an oracle of their drawing.

Each is answered within the bounds, never with a 5xx but the 503 that asks for a repetition, and with 2xx only
if it was rightly signed; what was answered with 2xx lies in the inbox once, everything else does not.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import tempfile
import uuid
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import uvicorn
from fastapi import FastAPI

from benchmarks.fuzz.receiver_requests import (
    BODY_LIMIT,
    COMPANY,
    KEY,
    KEY_URL,
    PRIVATE,
    SECRET,
    SITE,
    Sent,
    drawn_request,
    genuine_callback,
)
from benchmarks.fuzz.tally import SERVER_ERROR, WRONG, Tally
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.store import Ledger
from deployments.receiver.app import Receiver
from deployments.receiver.server import server_config
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.signatures import is_allowed_key_url

NAME = "receiver"
INPUTS = 16_000
SHORT = 300
READY_TRIES = 50
"""The first message waits for a new ledger, a fifth of a second each time."""
ANSWERS = frozenset({200, 400, 401, 403, 404, 405, 413, 429, 503})


@dataclass
class Keys:
    """The vendor's server: one key at its address, and what was asked of it that it must not be asked."""

    wrong: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The key at its address, 404 elsewhere."""
        if not is_key_form(str(request.url)):
            self.wrong.append(f"asked for {request.url}")
        if "authorization" in request.headers and request.url.host != httpx.URL(SITE).host:
            self.wrong.append(f"sent credentials to {request.url.host}")
        if str(request.url) == KEY_URL:
            return httpx.Response(200, content=_streamed(json.dumps({"signing_key": KEY}).encode()))
        return httpx.Response(404, content=_streamed(b""))


async def _streamed(raw: bytes) -> AsyncIterator[bytes]:
    """As a network gives it: an answer that is there at once can't be read as it comes."""
    yield raw


def is_key_form(url: Any) -> bool:
    """Whether an address is one of ConnectWise's keys, told apart from the receiver's own check."""
    return isinstance(url, str) and _KEY_FORM.fullmatch(url) is not None


_KEY_FORM = re.compile(
    r"https://(?i:api-na\.myconnectwise\.net)\.?(:443)?"
    r"/v[0-9]+_[0-9]+(_release)?/apis/3\.0/system(/[A-Za-z0-9_-]+)*/[A-Za-z0-9_-]*(?i:key)[A-Za-z0-9_-]*"
    r"(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_.=&-]*)?"
)


async def run(tally: Tally, *, inputs: int) -> None:
    """Sends every request to one receiver, and counts the inbox at the end."""
    tally.secrets |= {KEY, SECRET, PRIVATE}
    keys = Keys()
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        config = server_config(settings, httpx.MockTransport(keys.answer))
        async with _serving(config) as port:
            app: Any = config.app
            receiver: Receiver = app.state.receiver
            # Strangers' addresses would use up the fetches before the vendor's key is ever asked for.
            for _ in range(READY_TRIES):
                if await answer_of(app, genuine_callback()) == 200:
                    break
                await asyncio.sleep(0.2)
            else:
                tally.problem(WRONG, "callback genuine", "the first one was not kept")
            for number in tally.numbers(inputs):
                sent = drawn_request(tally.draw(number))
                async with tally.input(number, sent.kind, sent.shown()) as tried:
                    status = await _status(tally, number, sent, app, port)
                    tried.outcome = str(status)
                    _judge(tally, number, sent, status)
            tally.check_logged(receiver.counts.text())
            new, put_off = (receiver.counts.of(name) for name in ("handed_over", "put_off"))
        async with Ledger.open(settings.ledger) as ledger:
            kept = sum((await ledger.inbox.count()).values())
    # What was put off may have been kept after all: the repeated message is a duplicate then.
    if not new <= kept <= new + put_off:
        tally.problem(WRONG, "inbox", f"{new} messages were handed over, {kept} are kept")
    for text in keys.wrong:
        tally.problem(WRONG, "key address", text)


async def _status(tally: Tally, number: int, sent: Sent, app: FastAPI, port: int) -> int:
    if sent.url is not None:
        allowed = is_allowed_key_url(sent.url, ["api-na.myconnectwise.net"])
        if allowed and not is_key_form(sent.url):
            tally.problem(WRONG, "key address", f"allowed: {sent.url!r}", number)
    return await (status_on_wire(port, sent.body) if sent.is_wire else answer_of(app, sent))


@asynccontextmanager
async def _serving(config: uvicorn.Config) -> AsyncIterator[int]:
    """The receiver on a free port of this machine, in this loop."""
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started and not running.done():  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    # One line for each malformed request says nothing here.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def status_on_wire(port: int, sent: bytes) -> int:
    """The first status that comes for some bytes; 0: the connection was closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        writer.write_eof()
        line = await reader.readline()
        await reader.read()
    except (ConnectionError, OSError):
        return 0
    finally:
        writer.close()
    found = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", line)
    return int(found[1]) if found else 0


def _settings(folder: Path) -> ReceiverSettings:
    vendor = ConnectWiseSettings(SITE, COMPANY, "public", PRIVATE, str(uuid.UUID(int=1)))
    return ReceiverSettings(
        ledger=folder / "ledger.db",
        connectwise=vendor,
        key_hosts=frozenset({"api-na.myconnectwise.net"}),
        webhook_secret=SECRET,
        port=0,
        body_limit=BODY_LIMIT,
    )


def _judge(tally: Tally, number: int, sent: Sent, status: int) -> None:
    if status >= 500 and status != 503:
        tally.problem(SERVER_ERROR, sent.kind, f"{status} for {sent.shown()}", number)
    elif status not in ANSWERS and not (sent.is_wire and status == 0):
        tally.problem(WRONG, sent.kind, f"{status} for {sent.shown()}", number)
    elif status == 200 and not sent.may_be_kept:
        tally.problem(WRONG, sent.kind, f"believed: {sent.shown()}", number)


async def answer_of(app: FastAPI, sent: Sent) -> int:
    """The status that the application gives one request, of 0 if it gave none."""
    size = max(1, -(-len(sent.body) // sent.parts))
    parts = [sent.body[at : at + size] for at in range(0, len(sent.body), size)] or [b""]
    left = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    left[-1]["more_body"] = False
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            statuses.append(event["status"])

    path, _, query = sent.path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in sent.headers],
        "client": ("203.0.113.9", 4711),
        "server": ("127.0.0.1", 8460),
    }
    await app(scope, receive, send)
    return statuses[0] if len(statuses) == 1 else 0
