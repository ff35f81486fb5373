"""The keys that ConnectWise signs callbacks with: fetched from allowed hosts only, kept, and not too often.

The address of the key stands in the message itself, so it is a stranger's word until its host was found in
the list. A fetch goes on when nobody waits for it any longer: the repeated message finds the key then.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from deployments.receiving.verdicts import PutOffError, RefusedError
from tasks.rules.signatures import holds_files, is_allowed_key_url

KEPT_SECONDS = 3600.0
MISSING_SECONDS = 60.0
"""How long an address that gave no key is not asked again."""
RENEW_SECONDS = 30.0
"""How old a key must be to be fetched again for a signature that does not fit it."""
MOST_KEYS = 32
MOST_MISSING = 256
LONGEST_ADDRESS = 500
FETCHES, WINDOW = 12, 60.0
"""Fetches in one minute: a forger must not use up our request limit at the vendor. Addresses whose key has
fitted a message have as many of their own."""

Fetch = Callable[[str], Awaitable[str | None]]
"""Gives the text of a key, None if there is none at that address; PutOffError if it can't be had now."""


class SigningKeys:
    """Keys by their address.

    Args:
        hosts: allowed hosts, see ``is_allowed_key_url``.
        own: base address of the ConnectWise server itself, allowed with its own port, a local sandbox too.
        monotonic: the clock, for tests.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        hosts: Collection[str],
        own: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._hosts = hosts
        self._own = urlsplit(own)
        self._monotonic = monotonic
        self._fitting: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._missing: OrderedDict[str, float] = OrderedDict()
        self._fetches: dict[bool, deque[float]] = {True: deque(), False: deque()}
        self._running: dict[str, asyncio.Task[str | None]] = {}

    async def key(self, url: object, *, seconds: float, newer: bool = False) -> str:
        """The key at an address that a message names.

        Args:
            seconds: how long to wait for it.
            newer: the kept one did not fit: fetch it again, unless that was done a moment ago.

        Raises:
            RefusedError: the address is not allowed, or has no key.
            PutOffError: it can't be had at the moment.
        """
        if not isinstance(url, str) or len(url) > LONGEST_ADDRESS or not self._is_allowed(url):
            raise RefusedError(401, "key address not allowed", _host(url))
        now = self._monotonic()
        place = self._place(url)
        kept = place.get(url)
        if kept and now - kept[1] < (RENEW_SECONDS if newer else KEPT_SECONDS):
            place.move_to_end(url)
            return kept[0]
        if now - self._missing.get(url, -MISSING_SECONDS) < MISSING_SECONDS:
            raise RefusedError(401, "no such key", _host(url))
        try:
            found = await self._fetched(url, seconds)
        except PutOffError:
            # An old key is better than none: a forged message does not fit it either.
            if kept:
                return kept[0]
            raise
        if found is None:
            raise RefusedError(401, "no such key", _host(url))
        return found

    def fitted(self, url: str) -> None:
        """A message was genuine by the key of this address: no other address displaces it any more.

        Whoever invents addresses on an allowed host, by as little as another query, has no such message.
        """
        if url in self._kept:
            self._fitting[url] = self._kept.pop(url)
            _shrink(self._fitting, MOST_KEYS)

    async def close(self) -> None:
        """Ends fetches that are still under way."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _fetched(self, url: str, seconds: float) -> str | None:
        task = self._running.get(url)
        if task is None:
            self._count_fetch(self._fetches[url in self._fitting])
            task = self._running[url] = asyncio.create_task(self._fetch_and_keep(url))
            task.add_done_callback(lambda done: self._forget_task(url, done))
        done, _ = await asyncio.wait({task}, timeout=max(0.0, seconds))
        if not done:
            raise PutOffError("signing key is slow")
        return task.result()

    def _place(self, url: str) -> OrderedDict[str, tuple[str, float]]:
        return self._fitting if url in self._fitting else self._kept

    def _count_fetch(self, fetches: deque[float]) -> None:
        now = self._monotonic()
        while fetches and now - fetches[0] >= WINDOW:
            fetches.popleft()
        if len(fetches) >= FETCHES:
            raise PutOffError("too many signing keys asked for")
        fetches.append(now)

    async def _fetch_and_keep(self, url: str) -> str | None:
        found = await self._fetch(url)
        place = self._place(url)
        if found is None:
            place.pop(url, None)
            self._missing[url] = self._monotonic()
            _shrink(self._missing, MOST_MISSING)
        else:
            place[url] = (found, self._monotonic())
            place.move_to_end(url)
            _shrink(place, MOST_KEYS)
        return found

    def _forget_task(self, url: str, task: asyncio.Task[str | None]) -> None:
        self._running.pop(url, None)
        if not task.cancelled():
            # Looked at here, since whoever waited for it may be gone.
            task.exception()

    def _is_allowed(self, url: str) -> bool:
        return is_allowed_key_url(url, self._hosts) or self._is_own(url)

    def _is_own(self, url: str) -> bool:
        if not self._own.netloc or not url.isascii() or any(letter in url for letter in "\\ \t\r\n@"):
            return False
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        own = (parts.scheme, parts.netloc.lower()) == (self._own.scheme, self._own.netloc.lower())
        return own and not holds_files(parts.path)


def _shrink(kept: OrderedDict[str, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)


def _host(url: object) -> str:
    """The host for a log line, as far as there is one."""
    try:
        return (urlsplit(url).hostname or "")[:100] if isinstance(url, str) else ""
    except ValueError:
        return ""
