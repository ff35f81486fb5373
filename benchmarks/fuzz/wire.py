"""Damaged answers as bytes on a socket, through every operation of the three clients and the whole library.

``answers`` damages what the HTTP library hands over; here the library reads the damage itself: heads, lengths
and chunks that are wrong, answers that never end or only trickle in, connections that break, and
redirects to another server, which must never hear of it. What holds for ``answers`` holds here too.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random

import httpx

from benchmarks.fuzz import vendors
from benchmarks.fuzz.tally import ENDLESS, WRONG, Tally
from benchmarks.fuzz.vendors import (
    Client,
    Operation,
    answer_of,
    is_first_step,
    operations,
    outcome_of,
    prepared,
)
from benchmarks.fuzz.wire_damages import DAMAGES, Damage, Ending, Reply, Step
from connectors.connection import TimeLimits
from connectors.errors import ConnectorError, UnclearOutcomeError
from connectors.http import HttpSession

NAME = "wire"
INPUTS = 2_500
SHORT = 60
MOST_REQUESTS = 100
LIMITS = TimeLimits(connect=2.0, read=0.15, write=2.0, pool=2.0, whole=0.4)
"""A healthy answer of this machine takes a few milliseconds."""


class Server:
    """A vendor on a socket: answers rightly, but for the request whose turn it is, or for all of them."""

    def __init__(self) -> None:
        self.address = ""
        self.elsewhere = b""
        self.led_elsewhere = 0
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self.begin("connectwise", Random(0), DAMAGES[0][1], 0)

    def begin(self, vendor: str, draw: Random, damage: Damage, turn: int) -> None:
        """Another input; ``turn`` 0: every request but the first steps is answered wrongly."""
        self._vendor, self._draw, self._damage, self._turn = vendor, draw, damage, turn
        self.requests = self.sent = 0
        self.damaged: Reply | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection until one of the two leaves."""
        self._open[writer] = asyncio.current_task()
        try:
            while (request := await _request(reader)) is not None:
                for step in self._steps(request):
                    if isinstance(step, float):
                        await asyncio.sleep(step)
                    elif isinstance(step, bytes):
                        writer.write(step)
                        await writer.drain()
                    else:
                        return _end(writer, step)
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()
            del self._open[writer]

    async def close(self) -> None:
        """Closes the connections that are left, and lets what answers them end."""
        for writer in list(self._open):
            writer.close()
        await asyncio.gather(*filter(None, self._open.values()))

    async def hear_elsewhere(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The other server."""
        self.led_elsewhere += 1
        writer.close()

    def _steps(self, request: httpx.Request) -> Iterator[Step]:
        self.requests += 1
        body, headers = answer_of(self._vendor, request)
        given = {"Content-Type": "application/json", **headers}
        reply = Reply(
            b"" if body is None else json.dumps(body).encode(),
            [(name.encode(), value.encode()) for name, value in given.items()],
            vendors.OWN[self._vendor][0].encode(),
            self.elsewhere,
        )
        first = is_first_step(request)
        self.sent += not first
        if self.requests == self._turn or (self._turn == 0 and not first):
            self.damaged = None if first else reply
            yield from self._damage(self._draw, reply)
        else:
            yield reply.whole()


def _end(writer: asyncio.StreamWriter, ending: Ending) -> None:
    if ending is Ending.RESET:
        # Without lingering the system resets the connection instead of closing it in order.
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> httpx.Request | None:
    """The next request of a connection; None at its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    request = httpx.Request(method, f"http://127.0.0.1{path}", headers=headers)
    content = await reader.readexactly(int(request.headers.get("Content-Length", 0)))
    return httpx.Request(method, request.url, headers=request.headers, content=content)


async def run(tally: Tally, *, inputs: int) -> None:
    """Tries one damage of one operation for each input."""
    tally.secrets |= vendors.SECRETS
    known = operations()
    async with _serving() as server:
        for number in tally.numbers(inputs):
            draw = tally.draw(number)
            operation = draw.choice(known)
            kind, damage = draw.choice(DAMAGES)
            turn = draw.choice((0, 0, 0, 1, 2, 2, 3))
            server.begin(operation.vendor, draw, damage, turn)
            shown = f"{operation.name}, request {turn or 'any'}"
            async with tally.input(number, kind, shown) as tried:
                error = None
                try:
                    tried.outcome = await outcome_of(operation, _client(operation.vendor, server), tried)
                except ConnectorError as found:
                    error = found
                    tried.refused(error)
                _judge(tally, number, kind, operation, server, error)


def _client(vendor: str, server: Server) -> Client:
    client = prepared(vendor, address=f"http://{server.address}")
    sessions = [each for each in vars(client).values() if isinstance(each, HttpSession)]
    for session in sessions:
        # The limits of production would make an input last minutes.
        session._limits = LIMITS
        session._client.timeout = httpx.Timeout(LIMITS.read, connect=LIMITS.connect)
    return client


def _judge(
    tally: Tally,
    number: int,
    kind: str,
    operation: Operation,
    server: Server,
    error: ConnectorError | None,
) -> None:
    def wrong(words: str) -> None:
        tally.problem(WRONG, kind, f"{operation.name}: {words}: {error!r}", number)

    if error is not None and not error.system and operation.vendor.title() not in str(error):
        wrong("no vendor is named")
    if server.led_elsewhere:
        wrong("went to another server")
        server.led_elsewhere = 0
    if operation.once and server.sent > 1:
        wrong(f"was sent {server.sent} times")
    if server.requests > MOST_REQUESTS:
        tally.problem(ENDLESS, kind, f"{operation.name}: {server.requests} requests", number)
    unclear = operation.creates and server.damaged is not None and not server.damaged.is_definite
    if unclear and error is not None and not isinstance(error, UnclearOutcomeError):
        wrong("may be done")


@asynccontextmanager
async def _serving() -> AsyncIterator[Server]:
    server = Server()
    elsewhere = await asyncio.start_server(server.hear_elsewhere, "127.0.0.1", 0)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=10_000_000)
    async with elsewhere, listening:
        server.address, server.elsewhere = _address(listening), _address(elsewhere).encode()
        yield server
        await server.close()


def _address(listening: asyncio.Server) -> str:
    return f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
