"""Kills a run at any request or ledger step, as far as that can be done inside of one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx


class Killed(BaseException):
    """The process is no more: no handler of ours catches this."""


class Killer:
    """Counts what passes and kills at one of them, before or after it is done."""

    def __init__(self, at: int, when: str) -> None:
        self.at = at
        self.when = when
        self.seen: list[str] = []

    def passes(self, name: str, when: str) -> None:
        if when == "before":
            self.seen.append(name)
        if len(self.seen) == self.at and when == self.when:
            raise Killed(f"{when} {name}")


class KillingTransport(httpx.AsyncBaseTransport):
    """A network whose user is killed right before a request leaves, or right after its answer came."""

    def __init__(self, inner: httpx.AsyncBaseTransport, killer: Killer) -> None:
        self._inner = inner
        self._killer = killer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path}"
        self._killer.passes(name, "before")
        response = await self._inner.handle_async_request(request)
        try:
            self._killer.passes(name, "after")
        except Killed:
            await response.aclose()
            raise
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class KillingLedger:
    """A part of the ledger whose user is killed right before or after one of its steps."""

    def __init__(self, inner: Any, killer: Killer, name: str) -> None:
        self._inner = inner
        self._killer = killer
        self._name = name

    def __getattr__(self, step: str) -> Callable[..., Any]:
        call = getattr(self._inner, step)

        async def passed(*args: Any, **options: Any) -> Any:
            self._killer.passes(f"{self._name}.{step}", "before")
            answer = await call(*args, **options)
            self._killer.passes(f"{self._name}.{step}", "after")
            return answer

        return passed
