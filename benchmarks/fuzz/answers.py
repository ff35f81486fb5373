"""Damaged answers through every operation of the three clients.

Each input is one operation against a vendor that answers rightly but for one damage: members of another kind,
cut or mangled bytes, false charsets and packings, redirects, odd statuses and headers, answers that unpack
beyond any memory, pages that never end, a network that breaks. Each ends in a value or in the connector's
error, which names the vendor; after a create whose accepted answer can't be read only in one that says so.
"""

from __future__ import annotations

from random import Random

import httpx

from benchmarks.fuzz import vendors
from benchmarks.fuzz.answer import Wire
from benchmarks.fuzz.damages import DAMAGES, Damage, gzip_bomb
from benchmarks.fuzz.tally import ENDLESS, WRONG, Tally
from benchmarks.fuzz.vendors import (
    Operation,
    answer_of,
    is_first_step,
    operations,
    outcome_of,
    prepared,
)
from connectors.errors import ConnectorError, UnclearOutcomeError

NAME = "answers"
INPUTS = 30_000
SHORT = 400
MOST_REQUESTS = 900
"""Requests of one operation; a right one makes ten at most, a reading in two queries without a count 800."""


_NOTHING_DONE = (401, 429)


class Vendor(httpx.AsyncBaseTransport):
    """Answers rightly, but for the request whose turn it is, or for all of them."""

    def __init__(self, vendor: str, draw: Random, damage: Damage, turn: int, *, always: bool) -> None:
        self._vendor = vendor
        self._draw = draw
        self._damage = damage
        self._turn = turn
        self._always = always
        self.requests = 0
        self.unrefused = 0
        """Requests of the operation itself that may have been done."""
        self.damaged_create = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; an error that no client knows once there are far too many requests."""
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            raise EndlessPagesError
        await request.aread()
        wire = Wire(self._vendor, request, *answer_of(self._vendor, request))
        first = is_first_step(request)
        if (self._always and not first) or self.requests == self._turn:
            self._damage(self._draw, wire)
            self.damaged_create = not first and wire.error is None and 200 <= wire.status < 300
        refused = wire.status in _NOTHING_DONE or isinstance(wire.error, httpx.ConnectError)
        self.unrefused += not first and not refused
        return wire.response()


class EndlessPagesError(BaseException):
    """Ends an operation that goes on asking."""


async def run(tally: Tally, *, inputs: int) -> None:
    """Tries one damage of one operation for each input."""
    tally.secrets |= vendors.SECRETS
    known = operations()
    gzip_bomb()
    for number in tally.numbers(inputs):
        draw = tally.draw(number)
        operation = draw.choice(known)
        kind, damage, always = draw.choice(DAMAGES)
        turn = draw.choice((1, 2, 2, 2, 3))
        if operation.vendor == "lansweeper":
            turn = draw.choice((1, 1, 1, 2))
        shown = f"{operation.name}, request {turn}"
        async with tally.input(number, kind, shown) as tried:
            vendor = Vendor(operation.vendor, draw, damage, turn, always=always)
            try:
                client = prepared(operation.vendor, transport=vendor)
                tried.outcome = await outcome_of(operation, client, tried)
            except ConnectorError as error:
                tried.refused(error)
                _judge(tally, number, kind, operation, vendor, error)
            except EndlessPagesError:
                tally.problem(ENDLESS, kind, f"{MOST_REQUESTS} requests: {shown}", number)


def _judge(
    tally: Tally, number: int, kind: str, operation: Operation, vendor: Vendor, error: ConnectorError
) -> None:
    if not error.system and operation.vendor.title() not in str(error):
        tally.problem(WRONG, kind, f"{operation.name}: no vendor is named: {error}", number)
    if operation.once and vendor.unrefused > 1:
        tally.problem(WRONG, kind, f"{operation.name}: sent {vendor.unrefused} times", number)
    graphql = operation.vendor == "lansweeper"
    if (
        operation.creates
        and vendor.damaged_create
        and not isinstance(error, UnclearOutcomeError)
        and not graphql
    ):
        tally.problem(WRONG, kind, f"{operation.name}: may be done, but is {error!r}", number)
