"""One GraphQL request of Lansweeper, and what every operation shares.

After a 429 any call starts the vendor's minute anew, so ``CoolDown`` holds all calls until it is over.
``RateState`` is what the headers of the newest answer say about the limit of 150 in a minute.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import anyio
import httpx

from connectors.errors import RejectedError
from connectors.http import Connected, HttpSession, RateLimiter, SessionOptions
from connectors.lansweeper.refusals import CHECK_SITE, read_lansweeper_refusal
from connectors.lansweeper.settings import SYSTEM, LansweeperSettings
from connectors.responses import Call, Refusal, error_of, json_of, unreadable
from connectors.retry import RequestKind

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
    try:
        return RateState(
            int(headers["x-ratelimit-limit"]),
            int(headers["x-ratelimit-remaining"]),
            float(headers["x-ratelimit-reset"]),
        )
    except (KeyError, ValueError):
        return None


class LansweeperApi(Connected):
    """Opens the session and posts documents; ``rate``: the request limit as the newest answer told it."""

    def __init__(self, settings: LansweeperSettings, **options: Unpack[SessionOptions]) -> None:
        self.settings = settings
        self.rate: RateState | None = None
        self._site_id = ""
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
        self, kind: RequestKind, operation: str, document: str, variables: dict[str, Any] | None = None
    ) -> tuple[Any, int]:
        """Sends one document; returns the answer's ``data`` and its size in bytes."""
        body = {"operationName": operation, "query": document, "variables": variables or {}}
        path = self.settings.path
        answer = await self.session.request(kind, "POST", path, template=f"{path} {operation}", json=body)
        return self._body(kind, answer)["data"], len(answer.content)

    def _body(self, kind: RequestKind, answer: httpx.Response) -> dict[str, Any]:
        """An accepted answer's body, which has ``data``; StopError if it is none of GraphQL's."""
        body = json_of(answer)
        if isinstance(body, dict) and "data" in body:
            return body
        failure = unreadable(answer)
        raise error_of(Call(kind, SYSTEM, "POST", self.settings.path), failure, self.session.redact)

    async def _of_site(
        self, kind: RequestKind, operation: str, document: str, site_id: str, **variables: Any
    ) -> tuple[Any, int]:
        """As ``_post``; returns what the site's root field brought."""
        data, size = await self._post(kind, operation, document, {"site": site_id, **variables})
        site = data.get("site") if isinstance(data, dict) else None
        if not isinstance(site, dict):
            raise self._nothing(operation, CHECK_SITE)
        return site.get(operation), size

    def _nothing(self, operation: str, remedy: str) -> RejectedError:
        return RejectedError(
            f"Lansweeper answered {operation} with nothing",
            system=SYSTEM,
            method="POST",
            path=self.settings.path,
            remedy=remedy,
        )
