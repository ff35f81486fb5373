"""The session that every client sends through: pooled connections, time limits, rate limit, retries, counts.

A client names the kind of each request and reads its vendor's refusals; this module does the rest. Redirects
are not followed, since they would carry the credentials to another address. Base addresses are https, and
plain http only on this very machine. The vendor's time comes from the Date header of its newest answer, since
this machine's clock may be wrong.
"""

from __future__ import annotations

import logging
import os
import random
import ssl
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any, Protocol, Self, TypedDict

import anyio
import httpx
import orjson

from connectors.errors import StopError, WriteRefusedError
from connectors.redaction import Redactor
from connectors.responses import Call, FailedAttempt, Refusal, error_of, failure_of, read_refusal, unreadable
from connectors.retry import (
    LONGEST_WAIT,
    AttemptOutcome,
    RequestKind,
    next_attempt,
    outcome_of_failure,
    pause_after,
    reason_of_failure,
)

logger = logging.getLogger(__name__)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where the environment may name other authorities than the usual ones."""


def utc_now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)


class ServerClock:
    """A vendor's clock; this machine's own until an answer has told otherwise.

    The header counts whole seconds and was written before the answer arrived, so the time given is up to
    about a second early and never late.
    """

    def __init__(self, own: Callable[[], datetime] = utc_now) -> None:
        self._own = own
        self._ahead = timedelta(0)

    def update(self, date: str | None) -> None:
        """Take an answer's Date header; one that is missing or no date changes nothing."""
        try:
            moment = parsedate_to_datetime(date or "")
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        self._ahead = moment - self._own()

    def now(self) -> datetime:
        """What the vendor's clock shows."""
        return self._own() + self._ahead


def check_base_url(base_url: str, system: str) -> httpx.URL:
    """The address, parsed, without a trailing slash.

    Raises:
        StopError: not an address, not https (http is taken for 127.0.0.1, localhost and ::1 only, where
            the sandbox listens), or one that carries a user name, a query or a fragment.
    """
    try:
        url = httpx.URL(base_url.strip().rstrip("/"))
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    problem = _problem(url)
    if problem:
        raise StopError(f"The address of {system} {problem}", system=system, remedy="Use https://host.")
    return url


def is_loopback(url: httpx.URL) -> bool:
    """Whether the address is on this machine."""
    return url.host in LOOPBACK


def _problem(url: httpx.URL) -> str:
    if not url.host:
        return "is not a web address"
    if url.userinfo or url.query or url.fragment:
        return "must not carry a user name, a query or a fragment"
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url)):
        return "must begin with https, or the credentials would travel unencrypted"
    return ""


class RateLimiter(Protocol):
    """Grants requests within a vendor's limit, to all processes that share one credential.

    The ledger's limiters fulfil it. A protocol, since this module knows no database and the ledger no HTTP.
    """

    async def acquire(self) -> None:
        """Wait for one request's grant; RetryableError(retry_after) if that would take over about 30 s."""

    async def pause(self, seconds: float) -> None:
        """The vendor answered 429: grant nothing to anyone for so many seconds."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds that each part of one try may take; ``whole`` ends an answer that only trickles in."""

    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    pool: float = 30.0
    whole: float = 180.0


class Connected(ABC):
    """What holds connections: opened with ``async with``, or closed with ``aclose``."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connections."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class SessionOptions(TypedDict, total=False):
    """The options of ``HttpSession`` that a vendor's client hands on."""

    rate_limiter: RateLimiter | None
    transport: httpx.AsyncBaseTransport | None
    read_only: bool
    verify: bool | ssl.SSLContext
    sleep: Callable[[float], Awaitable[None]]


class HttpSession(Connected):
    """One vendor's connections.

    Args:
        system: the vendor's name, for messages.
        base_url: https address; plain http only on this machine.
        read_error: reads a refusal out of an answer, or None if the answer is to be handed to the caller;
            it sees every answer, 2xx included, since GraphQL refuses with 200.
        rate_limiter: asked before each try, repeated ones included.
        transport, sleep: replace the network and the clock, for tests.
        read_only: any create or modify raises before anything is sent.
        concurrency: requests in flight at once, and connections kept.
        secrets: further texts that must never appear in a message; the header values always count.
        longest_wait: seconds that one call may wait between its tries in all.

    ``sent`` counts the requests sent by "METHOD /path/template", repeated ones included; ``requests`` and
    ``writes`` are sums of it. ``clock`` is the vendor's.
    """

    def __init__(
        self,
        *,
        system: str,
        base_url: str,
        headers: Mapping[str, str],
        read_error: Callable[[httpx.Response], Refusal | None] = read_refusal,
        rate_limiter: RateLimiter | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        read_only: bool = False,
        concurrency: int = 4,
        limits: TimeLimits | None = None,
        verify: bool | ssl.SSLContext = True,
        secrets: Iterable[str] = (),
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.system = system
        self.base_url = check_base_url(base_url, system)
        self.read_only = read_only
        self.sent: Counter[str] = Counter()
        self.requests = 0
        self.writes = 0
        self.clock = ServerClock()
        self.redact = Redactor([*secrets, *_header_secrets(system, headers)])
        self._limits = limits or TimeLimits()
        self._read_error = read_error
        self._limiter = rate_limiter
        self._sleep = sleep
        self._longest_wait = longest_wait
        self._slots = anyio.Semaphore(concurrency)
        self._client = _open_client(self.base_url, headers, transport, concurrency, self._limits, verify)

    async def request(
        self,
        kind: RequestKind,
        method: str,
        path: str,
        *,
        root: str = "",
        template: str | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        read_error: Callable[[httpx.Response], Refusal | None] | None = None,
        cost: int = 1,
    ) -> httpx.Response:
        """Send one request, again where that is harmless, and return the answer that was accepted.

        Args:
            path: under ``root``; it is shown in errors, so it never holds a secret or a query.
            root: part of the address before ``path`` that errors and counts leave out.
            template: the name to count it under, such as ``/company/configurations/{id}``; default: path.
            cost: requests that the vendor counts this one as; the limiter is asked for that many a try.

        Raises:
            WriteRefusedError: a create or modify in a session for reading only; nothing was sent.
            RetryableError: later, unchanged; ``retry_after`` in seconds if the vendor said.
            RejectedError: the vendor refuses this request.
            StopError: a person must act: credentials, rights, address, certificate.
            UnclearOutcomeError: a create that may or may not have been done; it is never repeated here.
        """
        self.refuse_write(kind, method, path)
        call = Call(kind, self.system, method, path)
        request = self._build(method, root + path, params, json, headers)
        attempt, waited = 0, 0.0
        while True:
            attempt += 1
            answer = await self._try(
                kind, request, f"{method} {template or path}", read_error or self._read_error, cost
            )
            if isinstance(answer, httpx.Response):
                return answer
            wait = await self._wait_after(kind, attempt, answer, waited)
            if wait is None:
                raise error_of(call, answer, self.redact)
            logger.warning("%s: %s, try %d in %.1f s", call, answer.outcome, attempt + 1, wait)
            await self._sleep(wait)
            waited += wait

    def refuse_write(self, kind: RequestKind, method: str, path: str) -> None:
        """WriteRefusedError if the session is for reading only and the request would write."""
        if self.read_only and kind is not RequestKind.READ:
            raise WriteRefusedError(
                "This client was opened for reading only, so nothing was sent",
                system=self.system,
                method=method,
                path=path,
            )

    async def request_json(self, kind: RequestKind, method: str, path: str, **options: Any) -> Any:
        """As ``request``; the body as JSON, None for an empty one. StopError: a 2xx that is not JSON."""
        answer = await self.request(kind, method, path, **options)
        return self.body(kind, method, path, answer)

    def body(self, kind: RequestKind, method: str, path: str, answer: httpx.Response) -> Any:
        """An accepted answer's body as ``request_json`` returns it, for callers that need its headers too."""
        if not answer.content:
            return None
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            failure = unreadable(answer)
        raise error_of(Call(kind, self.system, method, path), failure, self.redact)

    async def aclose(self) -> None:
        await self._client.aclose()

    def __repr__(self) -> str:
        return f"HttpSession({self.system!r}, {str(self.base_url)!r})"

    def _build(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        json: Any,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        content = None if json is None else orjson.dumps(json)
        sent = {**(headers or {}), **({"Content-Type": "application/json"} if content is not None else {})}
        return self._client.build_request(
            method, f"{self.base_url}{path}", params=params or None, content=content, headers=sent
        )

    async def _try(
        self,
        kind: RequestKind,
        request: httpx.Request,
        name: str,
        read_error: Callable[[httpx.Response], Refusal | None],
        cost: int,
    ) -> httpx.Response | FailedAttempt:
        async with self._slots:
            for _ in range(cost):
                if self._limiter is not None:
                    await self._limiter.acquire()
            self.sent[name] += 1
            self.requests += 1
            self.writes += kind is not RequestKind.READ
            try:
                with anyio.fail_after(self._limits.whole):
                    answer = await self._client.send(request)
            except (httpx.HTTPError, TimeoutError) as error:
                return FailedAttempt(outcome_of_failure(error), reason=reason_of_failure(error))
        self.clock.update(answer.headers.get("Date"))
        refusal = read_error(answer)
        return answer if refusal is None else failure_of(answer, refusal)

    async def _wait_after(
        self, kind: RequestKind, attempt: int, failure: FailedAttempt, waited: float
    ) -> float | None:
        spread = random.random()
        if failure.outcome is AttemptOutcome.RATE_LIMITED and self._limiter is not None:
            await self._limiter.pause(pause_after(attempt, failure.outcome, failure.retry_after, spread))
        return next_attempt(
            kind,
            attempt,
            failure.outcome,
            failure.retry_after,
            waited=waited,
            spread=spread,
            longest_wait=self._longest_wait,
        )


def _open_client(
    base_url: httpx.URL,
    headers: Mapping[str, str],
    transport: httpx.AsyncBaseTransport | None,
    concurrency: int,
    limits: TimeLimits,
    verify: bool | ssl.SSLContext,
) -> httpx.AsyncClient:
    # A proxy named in the environment must not see what is meant for this machine.
    direct: dict[str, None] = {f"all://{base_url.netloc.decode()}": None} if is_loopback(base_url) else {}
    return httpx.AsyncClient(
        headers={"User-Agent": "connectwise-flows", **headers},
        transport=transport,
        mounts=direct,
        verify=_certificates(*map(os.environ.get, _AUTHORITIES)) if verify is True else verify,
        follow_redirects=False,
        timeout=httpx.Timeout(limits.read, connect=limits.connect, write=limits.write, pool=limits.pool),
        # Shorter than the 5 s after which common servers close an idle connection: a create that
        # meets a connection just being closed would have an unclear outcome.
        limits=httpx.Limits(
            max_connections=concurrency, max_keepalive_connections=concurrency, keepalive_expiry=4.0
        ),
    )


@cache
def _certificates(*_named: str | None) -> ssl.SSLContext:
    """The trusted authorities, cached by what the environment names: reading them is slow."""
    return httpx.create_ssl_context()


def _header_secrets(system: str, headers: Mapping[str, str]) -> list[str]:
    """The parts of an Authorization header that messages must not show; other headers may well be shown."""
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            # httpx would name the value in its own error.
            raise StopError(
                f"The {name} header of {system} holds line breaks or letters outside ASCII",
                system=system,
                remedy="Copy the credential again.",
            )
    authorization = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
    return [authorization, authorization.partition(" ")[2]] if authorization else []
