"""Kills its own process at a request: right before it is sent, or right after the vendor answered it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import httpx

BEFORE, AFTER = "before", "after"
TOKENS = "oauth"


@dataclass
class Killer:
    """Counts this process's requests, or its ``writes`` only, those for tokens left out; ``at`` 0: no kill.

    What it kills at is written to ``note`` first, so that the campaign can tell where the kills fell.
    """

    at: int
    when: str
    writes: bool
    note: Path
    seen: int = 0

    def passes(self, name: str, when: str) -> None:
        """One boundary of one request."""
        if TOKENS in name or (self.writes and name.startswith("GET ")):
            return
        self.seen += when == BEFORE
        if self.at and when == self.when and self.seen >= self.at:
            with self.note.open("a", encoding="utf-8") as file:
                file.write(f"{when} {name}\n")
            os.kill(os.getpid(), signal.SIGKILL)


class KillingTransport(httpx.AsyncBaseTransport):
    """A network whose user may be killed at each request."""

    def __init__(self, inner: httpx.AsyncBaseTransport, killer: Killer) -> None:
        self._inner = inner
        self._killer = killer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path}"
        self._killer.passes(name, BEFORE)
        response = await self._inner.handle_async_request(request)
        self._killer.passes(name, AFTER)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()
