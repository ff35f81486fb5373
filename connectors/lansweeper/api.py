"""One GraphQL request of Lansweeper, and what every operation shares.

After a 429 any call starts the vendor's minute anew, so ``CoolDown`` holds all calls until it is over.
``RateState`` is what the headers of the newest answer say about the limit of 150 in a minute.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack

import anyio
import httpx

from connectors.errors import ConnectorError, RejectedError
from connectors.http import Connected, HttpSession, RateLimiter, ReadAnswer, SessionOptions
from connectors.lansweeper.models import Site
from connectors.lansweeper.refusals import CHECK_SITE, read_lansweeper_refusal
from connectors.lansweeper.settings import SYSTEM, LansweeperSettings
from connectors.responses import Refusal
from connectors.retry import RequestKind
from connectors.shapes import ShapeError, as_object, described, is_digits

T = TypeVar("T")
SAME_WINDOW = 1.5
"""Seconds by which two answers of one window may name its end differently."""
CONCURRENCY = 2
"""Requests at once: while one waits out a rate limit, few others may be on their way."""
_LONGEST_WAIT = 65.0
"""Seconds that one call may wait in all: one cool-down of 61 s. A second one is a retry of the task."""


class CoolDown:
    """A rate limiter before the shared one, if there is one: holds this client's other requests back too."""

    def __init__(
        self,
        rate_limiter: RateLimiter | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._limiter = rate_limiter
        self._now = now
        self._sleep = sleep
        self._quiet_until = 0.0

    async def acquire(self) -> None:
        """Waits until the cool-down is over, then for the shared limiter."""
        while (wait := self._quiet_until - self._now()) > 0:
            await self._sleep(wait)
        if self._limiter is not None:
            await self._limiter.acquire()

    async def pause(self, seconds: float) -> None:
        """Starts the cool-down for this client, and for all processes that share the limiter."""
        self._quiet_until = max(self._quiet_until, self._now() + seconds)
        if self._limiter is not None:
            await self._limiter.pause(seconds)


@dataclass(frozen=True, slots=True)
class RateState:
    """The limit of the running window, how many requests are left of it, and its end (epoch seconds)."""

    limit: int
    remaining: int
    reset_at: float

    def used_since(self, before: RateState | None) -> int | None:
        """Requests counted between two answers of one window, else None; other processes' included."""
        if before is None or abs(self.reset_at - before.reset_at) > SAME_WINDOW:
            return None
        return max(0, before.remaining - self.remaining)


def rate_of(headers: Mapping[str, str]) -> RateState | None:
    """Reads the ``x-ratelimit-*`` headers of an answer; None where they are missing or no numbers."""
    limit, remaining = (headers.get(f"x-ratelimit-{name}", "").strip() for name in ("limit", "remaining"))
    try:
        reset_at = float(headers.get("x-ratelimit-reset", "")[:_LONGEST_NUMBER])
    except ValueError:
        return None
    if not (is_digits(limit) and is_digits(remaining) and math.isfinite(reset_at)):
        return None
    return RateState(int(limit), int(remaining), reset_at)


_LONGEST_NUMBER = 40


def body_with_data(answer: ReadAnswer) -> dict[str, Any]:
    """The body of a GraphQL answer, which has ``data``."""
    body = as_object(answer.body)
    if "data" not in body:
        raise ShapeError(f"the answer should have data but is {described(body)}")
    return body


class LansweeperApi(Connected):
    """Opens the session and posts documents; ``rate``: the request limit as the newest answer told it."""

    def __init__(self, settings: LansweeperSettings, **options: Unpack[SessionOptions]) -> None:
        self.settings = settings
        self.rate: RateState | None = None
        self._site: Site | None = None
        options["rate_limiter"] = CoolDown(
            options.get("rate_limiter"), sleep=options.get("sleep", anyio.sleep)
        )
        self.session = HttpSession(
            system=SYSTEM,
            base_url=settings.base_url,
            headers=settings.headers(),
            read_error=self._read,
            concurrency=CONCURRENCY,
            secrets=settings.secrets(),
            longest_wait=_LONGEST_WAIT,
            **options,
        )

    async def aclose(self) -> None:
        await self.session.aclose()

    def _read(self, answer: httpx.Response) -> Refusal | None:
        self.rate = rate_of(answer.headers) or self.rate
        return read_lansweeper_refusal(answer)

    async def _post(
        self,
        kind: RequestKind,
        operation: str,
        document: str,
        parse: Callable[[Any, int], T],
        variables: dict[str, Any] | None = None,
        *,
        misfit: type[ConnectorError] | None = None,
    ) -> T:
        """Sends one document; what ``parse`` reads out of the answer's ``data`` and its size in bytes."""
        body = {"operationName": operation, "query": document, "variables": variables or {}}
        path = self.settings.path
        return await self.session.read(
            kind,
            "POST",
            path,
            lambda answer: parse(body_with_data(answer)["data"], answer.size),
            misfit=misfit,
            template=f"{path} {operation}",
            json=body,
        )

    async def _of_site(
        self,
        kind: RequestKind,
        operation: str,
        document: str,
        site_id: str,
        parse: Callable[[Any, int], T],
        *,
        misfit: type[ConnectorError] | None = None,
        **variables: Any,
    ) -> T:
        """As ``_post``; ``parse`` is given what the site's root field brought."""

        def of_site(data: Any, size: int) -> T:
            site = data.get("site") if isinstance(data, dict) else None
            if not isinstance(site, dict):
                raise self._nothing(operation, CHECK_SITE)
            return parse(site.get(operation), size)

        return await self._post(
            kind, operation, document, of_site, {"site": site_id, **variables}, misfit=misfit
        )

    def _nothing(self, operation: str, remedy: str) -> RejectedError:
        return RejectedError(
            f"Lansweeper answered {operation} with nothing",
            system=SYSTEM,
            method="POST",
            path=self.settings.path,
            remedy=remedy,
        )
