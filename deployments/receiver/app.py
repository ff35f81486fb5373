"""The receiver's application: its addresses, and the way of one message.

POST /connectwise/callbacks     ConnectWise appends the record's id: register it with ?recordId= at its end
POST /field-nation/webhooks
GET  /health                    the process answers
GET  /ready                     and its ledger keeps messages: 200 or 503
GET  /metrics                   what came, was handed over, refused, put off

It listens on loopback unless its settings say otherwise: a proxy with TLS stands before it
(docs/operations.md). It needs the ledger's place and the vendors' secrets, and no Prefect server.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import httpx
from fastapi import FastAPI, Request, Response

from connectors.metrics import CONTENT_TYPE
from deployments.receiver.inbox import InboxWriter
from deployments.receiver.messages import (
    PutOffError,
    RefusedError,
    check_length,
    check_source,
    read_body,
    sender_network,
)
from deployments.receiver.metrics import MessageCounts
from deployments.receiver.places import Places
from deployments.receiver.settings import Network, ReceiverSettings
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

ANSWER_SECONDS = 0.9
"""From the whole body to the answer; what is not done by then is put off."""
RETRY_STATUS = {CONNECTWISE_SOURCE: 429, FIELD_NATION_SOURCE: 503}
"""After what a vendor sends again: ConnectWise only 404, 409, 419 and 429, Field Nation 5xx."""
KEYS_ENTRY = "signing key addresses"
"""The tenant's state entry: where keys lay that fitted genuine messages. No key stands there."""
RECALL_SECONDS = 5.0
logger = logging.getLogger(__name__)


class Check(Protocol):
    """The check of one vendor's messages: of the head before the body is read, then of all."""

    def head(self, headers: Headers) -> None: ...

    async def __call__(self, raw: bytes, headers: Headers, seconds: float, sender: str) -> Genuine: ...


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
        self._places = Places()
        self._recalling: asyncio.Task[None] | None = None
        if settings.connectwise is not None:
            self._fetcher = KeyFetcher(settings.connectwise, key_transport)
            self._keys = SigningKeys(
                self._fetcher,
                hosts=settings.key_hosts,
                paths=settings.key_paths,
                own=settings.connectwise.base_url,
                remember=self._remember_keys,
            )
            self._checks[CONNECTWISE_SOURCE] = ConnectWiseCheck(self._keys, settings.connectwise.company_id)
        if settings.webhook_secret:
            self._checks[FIELD_NATION_SOURCE] = FieldNationCheck(settings.webhook_secret)

    async def receive(self, source: str, networks: Sequence[Network], request: Request) -> Response:
        """Keep or refuse one message, count it, and answer it."""
        began = time.monotonic()
        self.counts.add("received", source)

        def end(name: str, reason: str = "", detail: str = "") -> None:
            self.counts.end(name, source, time.monotonic() - began, reason, detail)

        try:
            is_new = await self._keep(source, networks, request)
        except RefusedError as error:
            end("refused", error.reason, error.detail)
            return Response(status_code=error.status, headers=_last(request))
        except PutOffError as error:
            end("put_off", error.reason, error.detail)
            return Response(status_code=RETRY_STATUS[source], headers=_repeat(request))
        except Exception:
            # A 500 is not repeated by ConnectWise: whatever it was, the message must come again.
            logger.exception("A message of %s met an error of the receiver", source)
            end("put_off", "error of the receiver")
            return Response(status_code=RETRY_STATUS[source], headers=_repeat(request))
        end("handed_over" if is_new else "duplicates")
        return Response(status_code=200)

    def prepare(self) -> None:
        """Begins to open the ledger, and to read from it which addresses gave the vendor's keys before."""
        self.inbox.prepare()
        if self._settings.connectwise is not None:
            self._recalling = asyncio.create_task(self._recall_keys(self._settings.connectwise.tenant_key))

    async def _recall_keys(self, tenant: str) -> None:
        while self._keys is not None:
            try:
                found = await self.inbox.recall(tenant, KEYS_ENTRY, seconds=RECALL_SECONDS)
            except PutOffError:
                # Without its ledger the receiver keeps no message either.
                await asyncio.sleep(RECALL_SECONDS)
                continue
            addresses = found.get("addresses")
            self._keys.expect(addresses if isinstance(addresses, list) else [])
            return

    def _remember_keys(self, addresses: list[str]) -> None:
        if self._settings.connectwise is not None:
            tenant = self._settings.connectwise.tenant_key
            self.inbox.remember(tenant, KEYS_ENTRY, {"addresses": addresses})

    async def close(self) -> None:
        if self._recalling is not None:
            self._recalling.cancel()
        if self._keys is not None:
            await self._keys.close()
        if self._fetcher is not None:
            await self._fetcher.close()
        await self.inbox.close()

    async def _keep(self, source: str, networks: Sequence[Network], request: Request) -> bool:
        check_source(request.client.host if request.client else None, networks)
        check = self._checks.get(source)
        if check is None:
            raise RefusedError(403, "not set up")
        async with self._places.unjudged():
            message, until = await self._judged(check, request)
        with self._places.genuine():
            return await self.inbox.put(
                message.source,
                message.name,
                message.body,
                seconds=until - time.monotonic(),
                digest=message.digest,
            )

    async def _judged(self, check: Check, request: Request) -> tuple[Genuine, float]:
        """The genuine message, and the moment by which it must be answered."""
        check_length(request, self._settings.body_limit)
        check.head(request.headers)
        raw = await read_body(request, self._settings.body_limit)
        request.state.is_read = True
        until = time.monotonic() + ANSWER_SECONDS
        sender = sender_network(request.client.host if request.client else None)
        return await check(raw, request.headers, until - time.monotonic(), sender), until


def _last(request: Request) -> dict[str, str]:
    """Ends the connection behind a body that was not read to its end, which may have none."""
    return {} if getattr(request.state, "is_read", False) else {"Connection": "close"}


def _repeat(request: Request) -> dict[str, str]:
    return _last(request) | {"Retry-After": "2"}


def receiver_app(
    settings: ReceiverSettings, key_transport: httpx.AsyncBaseTransport | None = None
) -> FastAPI:
    """The application; it opens nothing before it is started."""
    receiver: Receiver

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal receiver
        receiver = app.state.receiver = Receiver(settings, key_transport)
        receiver.prepare()
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
            await receiver.inbox.check(seconds=2.0)
        except PutOffError as error:
            response.status_code = 503
            return {"status": "the ledger does not answer", "reason": error.reason}
        return {"status": "ok"}

    @app.get("/metrics")
    async def metrics() -> Response:
        try:
            inbox = await receiver.inbox.counts(seconds=2.0)
            requests = await receiver.inbox.requests(seconds=2.0)
        except PutOffError:
            inbox, requests = None, {}
        return Response(receiver.counts.text(inbox, requests), media_type=CONTENT_TYPE)

    return app
