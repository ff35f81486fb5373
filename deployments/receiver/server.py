"""The HTTP server under the receiver, and its entry point: bounds that uvicorn and asyncio leave open.

- ``bounded_connections``: a connection that brings no request head in time is closed; of too many of those
  the oldest gives way, so that file handles stay for the ledger.
- ``RepeatedRecords``: a log line that repeats is left out for a while and counted. Out of file handles the
  event loop reports each try to accept a connection, with its traceback, thousands a second.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar

import h11
import httpx
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from connectors.errors import StopError
from connectors.logs import log_formatter
from connectors.redaction import Redactor
from deployments.receiver.app import receiver_app
from deployments.receiver.metrics import LOG_EVERY
from deployments.receiver.settings import ReceiverSettings, receiver_settings
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH

LINE = "%(asctime)s %(levelname)s %(message)s"
EX_CONFIG = 78
"""Trying again does not help; service managers know this exit code."""
HEAD_SECONDS = 5.0
"""From the first byte of a request, or from the connection, to the end of its head."""
MOST_CONNECTIONS = 500
"""At once, or half of the process's file handles if those are fewer."""
BACKLOG = 100
"""Connections that the system holds until they are accepted; asyncio reports that many failures at a time."""
RECORD_KINDS = 256


def bounded_connections(most: int) -> type[H11Protocol]:
    """uvicorn's protocol with a time limit for request heads, and at most so many connections at once."""

    class BoundedConnection(H11Protocol):
        waiting: ClassVar[OrderedDict[BoundedConnection, None]] = OrderedDict()
        """The connections that have brought no whole request head yet, the oldest first."""
        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.waiting[self] = None
            self._begin_head()
            if len(self.connections) > most:
                next(iter(self.waiting)).transport.abort()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            answered = self.cycle is None or self.cycle.response_complete
            if answered and self.conn.their_state is not h11.DONE:
                # In the middle of a head, or of a body that nobody reads any longer.
                self._begin_head()
            else:
                self._end_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.trailing_data[0]:
                self._begin_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._end_head()
            super().connection_lost(exc)

        def _begin_head(self) -> None:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

        def _end_head(self) -> None:
            self.waiting.pop(self, None)
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

    return BoundedConnection


class RepeatedRecords(logging.Filter):
    """Lets one record of a kind through every ``seconds``, and says in it how many were left out.

    A kind is the logger, the level, the text before its values, and the exception's class.
    """

    def __init__(
        self, seconds: float = LOG_EVERY, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._seconds = seconds
        self._monotonic = monotonic
        self._kinds: OrderedDict[tuple[Any, ...], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[0] if record.exc_info else None
        # asyncio puts the values into the text; its first line is the same each time.
        words = str(record.msg).partition("\n")[0][:200]
        kind = (record.name, record.levelno, words, error)
        now = self._monotonic()
        told, left_out = self._kinds.pop(kind, (-self._seconds, 0))
        if now - told < self._seconds:
            self._kinds[kind] = told, left_out + 1
            return False
        self._kinds[kind] = now, 0
        while len(self._kinds) > RECORD_KINDS:
            self._kinds.popitem(last=False)
        if left_out:
            record.msg = f"{record.getMessage()}\n({left_out} more like it were left out before)"
            record.args = ()
        return True


def main(announce: Callable[[ReceiverSettings], None] = lambda settings: None) -> int:
    """Listen until SIGTERM or Ctrl-C; what was begun is finished first.

    ``announce`` is given the settings once they are read.
    """
    try:
        settings = receiver_settings(os.environ)
        formatter = log_formatter(os.environ, LINE, Redactor(settings.secrets()))
    except (ValueError, StopError) as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    logging.basicConfig(level=logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)
        handler.addFilter(RepeatedRecords())
    for talkative in ("httpx", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    announce(settings)
    address = f"http://{settings.host}:{settings.port}"
    if settings.connectwise is not None:
        logging.info("Callbacks of ConnectWise at %s%s?recordId=", address, CONNECTWISE_PATH)
    if settings.webhook_secret:
        logging.info("Webhooks of Field Nation at %s%s", address, FIELD_NATION_PATH)
    uvicorn.Server(server_config(settings)).run()
    return 0


def server_config(
    settings: ReceiverSettings, key_transport: httpx.AsyncBaseTransport | None = None
) -> uvicorn.Config:
    """The HTTP server's settings. The sender's address is taken from the proxies that are named."""
    return uvicorn.Config(
        receiver_app(settings, key_transport),
        host=settings.host,
        port=settings.port,
        http=bounded_connections(most_connections()),
        ws="none",
        backlog=BACKLOG,
        # Its own handlers would pass by the filter of repeated records.
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.proxies),
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
    )


def most_connections() -> int:
    """Half of the file handles that this process may open, at most ``MOST_CONNECTIONS``."""
    handles, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if handles == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, handles // 2)
