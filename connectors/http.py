"""The session that every client sends through: pooled connections, time limits, rate limit, retries, counts.

A client names the kind of each request and reads its vendor's refusals; this module does the rest. Redirects
are not followed, since they would carry the credentials to another address. Base addresses are https, and
plain http only on this very machine. The vendor's time comes from the Date header of its newest answer, since
this machine's clock may be wrong.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypedDict, TypeVar

import anyio
import httpx
import orjson

from connectors.answers import (
    AnswerTooLargeError,
    DamagedAnswerError,
    NotJsonError,
    parse_json,
    read_answer,
)
from connectors.connection import TimeLimits, check_base_url, open_connections
from connectors.errors import ConnectorError, RejectedError, WriteRefusedError
from connectors.redaction import Redactor, header_secrets
from connectors.responses import (
    Call,
    FailedAttempt,
    Refusal,
    error_of,
    failure_of,
    outcome_of,
    read_refusal,
    too_large,
    unexpected,
    unreadable,
    words_of,
)
from connectors.retry import (
    LONGEST_WAIT,
    AttemptOutcome,
    RequestKind,
    next_attempt,
    outcome_of_failure,
    pause_after,
    read_http_date,
    reason_of_failure,
)
from connectors.tracing import request_span

if TYPE_CHECKING:
    # Loaded by whoever counts.
    from connectors.metrics import RequestMetrics

logger = logging.getLogger(__name__)
T = TypeVar("T")

_PLAUSIBLE_YEARS = range(2000, 2200)


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
        """Take an answer's Date header; one that is missing, no date or of another age changes nothing."""
        moment = read_http_date(date or "")
        if moment is not None and moment.year in _PLAUSIBLE_YEARS:
            self._ahead = moment - self._own()

    def now(self) -> datetime:
        """What the vendor's clock shows."""
        return self._own() + self._ahead


class RateLimiter(Protocol):
    """Grants requests within a vendor's limit, to all processes that share one credential.

    The ledger's limiters fulfil it. A protocol, since this module knows no database and the ledger no HTTP.
    """

    async def acquire(self) -> None:
        """Wait for one request's grant; RetryableError(retry_after) if that would take over about 30 s."""

    async def pause(self, seconds: float) -> None:
        """The vendor answered 429: grant nothing to anyone for so many seconds."""


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


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """An accepted answer as a client reads it: its body as JSON (None for an empty one), headers, bytes."""

    body: Any
    headers: httpx.Headers
    size: int


class SessionOptions(TypedDict, total=False):
    """The options of ``HttpSession`` that a vendor's client hands on."""

    rate_limiter: RateLimiter | None
    transport: httpx.AsyncBaseTransport | None
    read_only: bool
    verify: bool | ssl.SSLContext
    sleep: Callable[[float], Awaitable[None]]
    metrics: RequestMetrics | None


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
        quotes_answers: False where answers hold secrets of their own, such as tokens: no error quotes them.
        metrics: told of each try and each wait for the rate limit.

    ``sent`` counts the requests sent by "METHOD /path/template", repeated ones included, ``seconds`` is how
    long they took; ``requests`` and ``writes`` are sums of it. ``clock`` is the vendor's.
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
        quotes_answers: bool = True,
        metrics: RequestMetrics | None = None,
    ) -> None:
        self.system = system
        self.base_url = check_base_url(base_url, system)
        self.read_only = read_only
        self.sent: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.requests = 0
        self.writes = 0
        self.clock = ServerClock()
        self.redact = Redactor([*secrets, *header_secrets(system, headers)])
        self._limits = limits or TimeLimits()
        self._read_error = read_error
        self._limiter = rate_limiter
        self._sleep = sleep
        self._longest_wait = longest_wait
        self._quotes_answers = quotes_answers
        self._metrics = metrics
        self._slots = anyio.Semaphore(concurrency)
        self._client = open_connections(self.base_url, headers, transport, concurrency, self._limits, verify)

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
        name, read = f"{method} {template or path}", read_error or self._read_error
        attempt, waited = 0, 0.0
        with request_span(call, self.base_url.host, template) as span:
            while True:
                attempt += 1
                answer = await self._try(kind, request, name, read, cost)
                span.add_try(attempt, answer)
                if isinstance(answer, httpx.Response):
                    return answer
                wait = await self._wait_after(kind, attempt, answer, waited)
                if wait is None:
                    raise error_of(call, answer, self.redact)
                logger.warning("%s: %s, try %d in %.1f s", call, answer.outcome, attempt + 1, wait)
                span.add_pause(answer, wait)
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

    async def read(
        self,
        kind: RequestKind,
        method: str,
        path: str,
        parse: Callable[[ReadAnswer], T],
        *,
        misfit: type[ConnectorError] | None = None,
        **options: Any,
    ) -> T:
        """As ``request``; what ``parse`` reads out of the answer.

        Whatever ``parse`` raises becomes the error of an answer that can't be read, which is
        UnclearOutcomeError after a create, else ``misfit``, else RejectedError where the path names one
        record and StopError where it does not. A 2xx that is not JSON is StopError.
        """
        answer = await self.request(kind, method, path, **options)
        return self.parsed(kind, method, path, answer, parse, misfit)

    async def request_json(self, kind: RequestKind, method: str, path: str, **options: Any) -> Any:
        """As ``request``; the body as JSON, None for an empty one. StopError: a 2xx that is not JSON."""
        return await self.read(kind, method, path, whole_body, **options)

    def parsed(
        self,
        kind: RequestKind,
        method: str,
        path: str,
        answer: httpx.Response,
        parse: Callable[[ReadAnswer], T],
        misfit: type[ConnectorError] | None = None,
    ) -> T:
        """What ``parse`` reads out of an answer that ``request`` gave; errors as those of ``read``."""
        try:
            return parse(ReadAnswer(parse_json(answer), answer.headers, len(answer.content)))
        except ConnectorError as error:
            raise error.at(self.system, method, path) from None
        except NotJsonError as error:
            failure = unreadable(answer, str(error), quoted=self._quotes_answers)
        except AnswerTooLargeError as error:
            failure = too_large(answer.status_code, error)
        except Exception as error:
            failure = unexpected(answer, path, error, misfit, quoted=self._quotes_answers)
        # Raised here, so that no chained exception carries parts of the answer.
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
        try:
            return self._built(method, path, params, json, headers)
        except (TypeError, ValueError, httpx.InvalidURL) as error:
            # Too deep or long, or text that UTF-8 can't hold; the error's own text may quote all of it.
            raise RejectedError(
                f"The request can't be put into words that HTTP allows ({type(error).__name__})",
                system=self.system,
                method=method,
                path=path,
                remedy="Shorten it, and leave out characters that are no text.",
            ) from None

    def _built(
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
            await self._get_permission(cost)
            self.sent[name] += 1
            self.requests += 1
            self.writes += kind is not RequestKind.READ
            began = time.monotonic()
            answer = await self._exchange(request)
            seconds = time.monotonic() - began
            self.seconds[name] += seconds
        if isinstance(answer, httpx.Response):
            self.clock.update(answer.headers.get("Date"))
            refusal = self._refusal_in(answer, read_error)
            answer = answer if refusal is None else failure_of(answer, refusal)
        if self._metrics is not None:
            self._metrics.add_try(self.system, kind, outcome_of(answer), seconds)
        return answer

    async def _get_permission(self, cost: int) -> None:
        if self._limiter is None:
            return
        began = time.monotonic()
        try:
            for _ in range(cost):
                await self._limiter.acquire()
        finally:
            if self._metrics is not None:
                self._metrics.add_wait(self.system, time.monotonic() - began)

    async def _exchange(self, request: httpx.Request) -> httpx.Response | FailedAttempt:
        """Send it once and read the whole answer."""
        try:
            with anyio.fail_after(self._limits.whole):
                response = await self._client.send(request, stream=True)
                return await read_answer(response)
        except AnswerTooLargeError as error:
            return too_large(response.status_code, error)
        except DamagedAnswerError as error:
            return FailedAttempt(AttemptOutcome.NO_ANSWER, response.status_code, Refusal(str(error)))
        except Exception as error:
            # Not only the library's own errors: a malformed answer can raise others within it.
            return FailedAttempt(outcome_of_failure(error), reason=reason_of_failure(error))

    def _refusal_in(
        self, answer: httpx.Response, read_error: Callable[[httpx.Response], Refusal | None]
    ) -> Refusal | None:
        """What the client reads out of the answer; of one that its reading fails on, the words alone."""
        try:
            return read_error(answer)
        except Exception as error:
            logger.warning(
                "%s: a refusal of a form that is not known (%s)", self.system, type(error).__name__
            )
            return Refusal(words_of(answer))

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


def whole_body(answer: ReadAnswer) -> Any:
    """The body as it came."""
    return answer.body
