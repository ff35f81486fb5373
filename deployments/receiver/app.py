"""The receiver's application, its counters in the text format of Prometheus, and its entry point.

POST /connectwise/callbacks     ConnectWise appends the record's id: register it with ?recordId= at its end
POST /field-nation/webhooks
GET  /health                    the process answers
GET  /ready                     and its ledger does: 200 or 503
GET  /metrics                   what came, was handed over, refused, put off

Every message ends in exactly one of handed over, duplicate, refused, put off; ``received`` is their sum and
those that are being worked on.

It listens on loopback unless its settings say otherwise: a proxy with TLS stands before it
(docs/operations.md). It needs the ledger's place and the vendors' secrets, and no Prefect server.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

import uvicorn
from fastapi import FastAPI, Request, Response

from connectors.errors import StopError
from connectors.ledger.inbox import NewMessage
from connectors.ledger.models import InboxState
from connectors.ledger.store import Ledger
from deployments.receiver.messages import PutOffError, RefusedError, check_source, read_body
from deployments.receiver.settings import Network, ReceiverSettings, receiver_settings
from deployments.receiver.verify import (
    ConnectWiseCheck,
    FieldNationCheck,
    Genuine,
    Headers,
    KeyFetcher,
    SigningKeys,
)
from tasks.rules.dispatch.messages import (
    CONNECTWISE_PATH,
    CONNECTWISE_SOURCE,
    FIELD_NATION_PATH,
    FIELD_NATION_SOURCE,
)

EX_CONFIG = 78
"""Trying again does not help; service managers know this exit code."""
ANSWER_SECONDS = 0.9
"""From the whole body to the answer; what is not done by then is put off."""
MAX_IN_FLIGHT = 200
"""Messages that are held in memory; what comes beyond that is put off unread."""
RETRY_STATUS = {CONNECTWISE_SOURCE: 429, FIELD_NATION_SOURCE: 503}
"""After what a vendor sends again: ConnectWise only 404, 409, 419 and 429, Field Nation 5xx."""
Check = Callable[[bytes, Headers, float], Awaitable[Genuine]]


class Receiver:
    """Receives messages of both vendors; ``counts`` is what ``/metrics`` shows."""

    def __init__(self, settings: ReceiverSettings) -> None:
        self._settings = settings
        self.counts = MessageCounts()
        self.inbox = InboxWriter(settings.ledger)
        self._fetcher: KeyFetcher | None = None
        self._keys: SigningKeys | None = None
        self._checks: dict[str, Check] = {}
        self._at_once = 0
        if settings.connectwise is not None:
            self._fetcher = KeyFetcher(settings.connectwise)
            self._keys = SigningKeys(
                self._fetcher, hosts=settings.key_hosts, own=settings.connectwise.base_url
            )
            self._checks[CONNECTWISE_SOURCE] = ConnectWiseCheck(self._keys, settings.connectwise.company_id)
        if settings.webhook_secret:
            self._checks[FIELD_NATION_SOURCE] = FieldNationCheck(settings.webhook_secret)

    async def receive(self, source: str, networks: Sequence[Network], request: Request) -> Response:
        """Keep or refuse one message, count it, and answer it."""
        self.counts.add("received", source)
        self._at_once += 1
        try:
            is_new = await self._keep(source, networks, request)
        except RefusedError as error:
            self.counts.add("refused", source, error.reason, error.detail)
            return Response(status_code=error.status)
        except PutOffError as error:
            self.counts.add("put_off", source, error.reason, error.detail)
            return Response(status_code=RETRY_STATUS[source], headers={"Retry-After": "2"})
        finally:
            self._at_once -= 1
        self.counts.add("handed_over" if is_new else "duplicates", source)
        return Response(status_code=200)

    async def close(self) -> None:
        if self._keys is not None:
            await self._keys.close()
        if self._fetcher is not None:
            await self._fetcher.close()
        await self.inbox.close()

    async def _keep(self, source: str, networks: Sequence[Network], request: Request) -> bool:
        if self._at_once > MAX_IN_FLIGHT:
            raise PutOffError("too many at once")
        check_source(request.client.host if request.client else None, networks)
        check = self._checks.get(source)
        if check is None:
            raise RefusedError(403, "not set up")
        raw = await read_body(request, self._settings.body_limit)
        until = time.monotonic() + ANSWER_SECONDS
        message = await check(raw, request.headers, until - time.monotonic())
        return await self.inbox.put(
            message.source,
            message.name,
            message.body,
            seconds=until - time.monotonic(),
            digest=message.digest,
        )


def receiver_app(settings: ReceiverSettings) -> FastAPI:
    """The application; it opens nothing before it is started."""
    receiver: Receiver

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal receiver
        receiver = app.state.receiver = Receiver(settings)
        receiver.inbox.prepare()
        yield
        await receiver.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.post(CONNECTWISE_PATH)
    async def connectwise(request: Request) -> Response:
        return await receiver.receive(CONNECTWISE_SOURCE, settings.connectwise_sources, request)

    @app.post(FIELD_NATION_PATH)
    async def field_nation(request: Request) -> Response:
        return await receiver.receive(FIELD_NATION_SOURCE, settings.field_nation_sources, request)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready(response: Response) -> dict[str, str]:
        try:
            await receiver.inbox.counts(seconds=2.0)
        except PutOffError as error:
            response.status_code = 503
            return {"status": "the ledger does not answer", "reason": error.reason}
        return {"status": "ok"}

    @app.get("/metrics")
    async def metrics() -> Response:
        try:
            inbox = await receiver.inbox.counts(seconds=2.0)
        except PutOffError:
            inbox = None
        return Response(receiver.counts.text(inbox), media_type="text/plain; version=0.0.4")

    return app


def main() -> int:
    """Listen until SIGTERM or Ctrl-C; what was begun is finished first."""
    try:
        settings = receiver_settings(os.environ)
    except (ValueError, StopError) as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for talkative in ("httpx", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    address = f"http://{settings.host}:{settings.port}"
    if settings.connectwise is not None:
        logging.info("Callbacks of ConnectWise at %s%s?recordId=", address, CONNECTWISE_PATH)
    if settings.webhook_secret:
        logging.info("Webhooks of Field Nation at %s%s", address, FIELD_NATION_PATH)
    uvicorn.Server(server_config(settings)).run()
    return 0


def server_config(settings: ReceiverSettings) -> uvicorn.Config:
    """The HTTP server's settings. The sender's address is taken from the proxies that are named."""
    return uvicorn.Config(
        receiver_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.proxies),
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
    )


METRIC_PREFIX = "connectwise_flows_receiver"
LOG_EVERY = 10.0
"""Seconds between two log lines of one kind: whoever sends rubbish must not fill the disk."""
_HELP = {
    "received": "Messages that came in",
    "handed_over": "Messages kept in the inbox for the flows",
    "duplicates": "Messages that were kept already",
    "refused": "Messages that are not believed or can't be read, by reason",
    "put_off": "Messages that the sender was asked to send again, by reason",
}
logger = logging.getLogger("deployments.receiver")


class MessageCounts:
    """Counters since the start of this process, by source and reason."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._counts: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in _HELP}
        self._monotonic = monotonic
        self._logged: dict[tuple[str, ...], float] = {}

    def add(self, name: str, source: str, reason: str = "", detail: str = "") -> None:
        """Counts one; refused and put off ones are logged too, now and then."""
        self._counts[name][source, reason] += 1
        if name in ("refused", "put_off"):
            self._log(name, source, reason, detail)

    def of(self, name: str, source: str | None = None, reason: str | None = None) -> int:
        """The sum over sources and reasons that are not given."""
        counted = self._counts[name].items()
        return sum(
            number
            for (its_source, its_reason), number in counted
            if source in (None, its_source) and reason in (None, its_reason)
        )

    def text(self, inbox: Mapping[str, int] | None = None) -> str:
        """All counters, and the messages in the inbox by state if they are known."""
        lines = [line for name in _HELP for line in self._lines(name)]
        if inbox is not None:
            lines += _head("inbox_messages", "Messages in the ledger's inbox, by state", "gauge")
            for state in get_args(InboxState):
                lines.append(f'{METRIC_PREFIX}_inbox_messages{{state="{state}"}} {inbox.get(state, 0)}')
        return "\n".join(lines) + "\n"

    def _lines(self, name: str) -> Iterator[str]:
        yield from _head(f"{name}_total", _HELP[name], "counter")
        for (source, reason), number in sorted(self._counts[name].items()):
            labels = f'source="{source}"' + (f',reason="{reason}"' if reason else "")
            yield f"{METRIC_PREFIX}_{name}_total{{{labels}}} {number}"

    def _log(self, *kind: str) -> None:
        now = self._monotonic()
        if now - self._logged.get(kind[:3], -LOG_EVERY) < LOG_EVERY:
            return
        self._logged[kind[:3]] = now
        name, source, reason, detail = kind
        words = f"{name.replace('_', ' ')}: {reason}{f', {detail}' if detail else ''}"
        logger.warning("A message of %s was %s (%d so far)", source, words, self.of(name, source, reason))


def _head(name: str, words: str, kind: str) -> list[str]:
    return [f"# HELP {METRIC_PREFIX}_{name} {words}.", f"# TYPE {METRIC_PREFIX}_{name} {kind}"]


BUSY_SECONDS = 5.0
BATCH_SIZE = 50
"""Messages in one transaction."""
REOPEN_SECONDS = 1.0
"""After a ledger that could not be opened, before it is tried again."""
T = TypeVar("T")


class InboxWriter:
    """Writes into the ledger's inbox: group commit, with a time limit for each caller."""

    def __init__(self, place: str | Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._monotonic = monotonic
        self._ledger: Ledger | None = None
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._waiting: list[tuple[NewMessage, str, asyncio.Future[bool]]] = []
        self._tasks: set[asyncio.Future[Any]] = set()
        self._failed_at = -REOPEN_SECONDS

    def prepare(self) -> None:
        """Begins to open the ledger, so that the first message need not wait for it."""
        self._start(self._opened())

    async def put(
        self, source: str, message_id: str, body: dict[str, Any], *, seconds: float, digest: str = ""
    ) -> bool:
        """Keeps a message; False if its id or digest is kept already. PutOffError: nobody knows if it is."""
        return await self._within(seconds, self._put((source, message_id, body), digest))

    async def counts(self, *, seconds: float) -> dict[str, int]:
        """The messages in the inbox by state; PutOffError if the ledger does not answer in time."""
        return await self._within(seconds, self._counts())

    async def close(self) -> None:
        """Lets what was begun end, then closes the ledger."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._ledger is not None:
            await self._ledger.close()

    async def _within(self, seconds: float, work: Awaitable[T]) -> T:
        task = self._start(work)
        done, _ = await asyncio.wait({task}, timeout=max(0.0, seconds))
        if not done:
            raise PutOffError("ledger is slow")
        try:
            return task.result()
        except StopError as error:
            raise PutOffError("ledger", str(error)) from error

    def _start(self, work: Awaitable[T]) -> asyncio.Future[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _put(self, message: NewMessage, digest: str) -> bool:
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, digest, kept))
        async with self._writing:
            if not kept.done():
                await self._write_batch()
        return await kept

    async def _write_batch(self) -> None:
        """Writes the oldest messages that wait; each learns how it went."""
        batch, self._waiting = self._waiting[:BATCH_SIZE], self._waiting[BATCH_SIZE:]
        try:
            ledger = await self._opened()
            outcomes = await ledger.inbox.put_all(
                [message for message, _, _ in batch], [digest for _, digest, _ in batch]
            )
        except Exception as error:
            for _, _, kept in batch:
                kept.set_exception(error)
            return
        for (_, _, kept), is_new in zip(batch, outcomes, strict=True):
            kept.set_result(is_new)

    async def _counts(self) -> dict[str, int]:
        return await (await self._opened()).inbox.count()

    async def _opened(self) -> Ledger:
        if self._ledger is not None:
            return self._ledger
        async with self._opening:
            if self._ledger is None:
                self._ledger = await self._open()
            return self._ledger

    async def _open(self) -> Ledger:
        if self._monotonic() - self._failed_at < REOPEN_SECONDS:
            raise StopError("The ledger could not be opened a moment ago", system="ledger")
        try:
            return await Ledger.open(self._place, busy_seconds=BUSY_SECONDS)
        except StopError:
            self._failed_at = self._monotonic()
            raise
