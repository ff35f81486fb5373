"""The receiver's application and its entry point.

POST /connectwise/callbacks     ConnectWise appends the record's id: register it with ?recordId= at its end
POST /field-nation/webhooks
GET  /health                    the process answers
GET  /ready                     and its ledger does: 200 or 503
GET  /metrics                   what came, was handed over, refused, put off

It listens on loopback unless its settings say otherwise: a proxy with TLS stands before it
(docs/operations.md). It needs the ledger's place and the vendors' secrets, and no Prefect server.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

from connectors.errors import StopError
from deployments.receiver.inbox import InboxWriter
from deployments.receiver.messages import PutOffError, RefusedError, check_source, read_body
from deployments.receiver.metrics import MessageCounts
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
    """Receives messages of both vendors; ``counts`` is what ``/metrics`` shows.

    ``key_transport``: what signing keys are fetched through, the network if it is None.
    """

    def __init__(
        self, settings: ReceiverSettings, key_transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self.counts = MessageCounts()
        self.inbox = InboxWriter(settings.ledger)
        self._fetcher: KeyFetcher | None = None
        self._keys: SigningKeys | None = None
        self._checks: dict[str, Check] = {}
        self._at_once = 0
        if settings.connectwise is not None:
            self._fetcher = KeyFetcher(settings.connectwise, key_transport)
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


def receiver_app(
    settings: ReceiverSettings, key_transport: httpx.AsyncBaseTransport | None = None
) -> FastAPI:
    """The application; it opens nothing before it is started."""
    receiver: Receiver

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal receiver
        receiver = app.state.receiver = Receiver(settings, key_transport)
        receiver.inbox.prepare()
        yield
        await receiver.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

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
