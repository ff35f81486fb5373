"""The check of each vendor's messages, and the signing keys of ConnectWise.

``ConnectWiseCheck`` and ``FieldNationCheck`` tell genuine messages from everything else that reaches the
receiver. The address of ConnectWise's key stands in the message itself, so it is a stranger's word until its
host was found in the list: ``SigningKeys`` fetches keys from allowed hosts only, keeps them, and bounds how
often. A fetch goes on when nobody waits for it any longer: the repeated message finds the key then.
``KeyFetcher`` follows no redirects, reads a small answer, and sends our credentials to our own server only.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from connectors.connection import TimeLimits, open_connections
from connectors.connectwise.settings import ConnectWiseSettings
from deployments.receiver.messages import (
    PutOffError,
    RefusedError,
    callback_name,
    json_object,
    kept_callback,
    kept_webhook,
)
from deployments.receiver.signatures import (
    CONNECTWISE_HEADER,
    Verdict,
    connectwise_head,
    delivery_of,
    field_nation_head,
    is_allowed_key_url,
    is_key_path,
    is_stale,
    plain_address,
    verify_connectwise,
    verify_field_nation,
)
from tasks.rules.dispatch.messages import CONNECTWISE_SOURCE, FIELD_NATION_SOURCE

KEPT_SECONDS = 3600.0
MISSING_SECONDS = 60.0
"""How long an address that gave no key is not asked again."""
RENEW_SECONDS = 30.0
"""How old a key must be to be fetched again for a signature that does not fit it."""
MAX_KEPT_KEYS = 32
MAX_MISSING = 256
LONGEST_ADDRESS = 500
MAX_FETCHES, FETCH_WINDOW = 12, 60.0
"""Fetches in one minute: a forger must not use up our request limit at the vendor. As many more are kept for
networks of senders that have caused none in that minute, and addresses whose key has fitted a message have as
many of their own."""
LONGEST_KEY_ANSWER = 16_384
STEP_LIMITS = TimeLimits(connect=4.0, read=4.0, write=4.0, pool=4.0)
ANSWER_TIMEOUT = 8.0
"""For the whole: an answer that trickles in must not go on for ever."""
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
_NONE_THERE = frozenset({400, 404, 410})
Fetch = Callable[[str], Awaitable[str | None]]
"""Gives the text of a key, None if there is none at that address; PutOffError if it can't be had now."""
Headers = Mapping[str, str]


class SigningKeys:
    """ConnectWise's signing keys by their address, cached and fetched at a bounded rate.

    An address whose key has fitted a genuine message is the vendor's: its fetches, and its place among the
    kept keys, are apart from those that anybody may name. ``expect`` tells those of an earlier process.

    Args:
        remember: is given all such addresses whenever there is a new one.
        hosts, paths: allowed hosts and further paths, see ``is_allowed_key_url``.
        own: base address of the ConnectWise server itself, allowed with its own port, a local sandbox too.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        hosts: Collection[str],
        paths: Collection[str] = (),
        own: str = "",
        remember: Callable[[list[str]], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._remember = remember
        self._hosts = hosts
        self._paths = paths
        self._own = urlsplit(own)
        self._monotonic = monotonic
        self._expected: OrderedDict[str, None] = OrderedDict()
        self._fitting: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._missing: OrderedDict[str, float] = OrderedDict()
        self._fetches: dict[bool, deque[tuple[float, str]]] = {True: deque(), False: deque()}
        self._running: dict[str, asyncio.Task[str | None]] = {}

    def expect(self, urls: Iterable[object]) -> None:
        """Addresses whose keys have fitted messages before this process began."""
        known = [url for url in urls if isinstance(url, str) and self._is_allowed(url)]
        self._expected.update(dict.fromkeys(known[-MAX_KEPT_KEYS:]))

    async def key(self, url: object, *, seconds: float, newer: bool = False, sender: str = "") -> str:
        """The key at an address that a message names, waited for at most ``seconds``.

        ``newer``: the kept one did not fit: fetch it again, unless that was done a moment ago. ``sender``:
        the network that the message comes from.

        Raises:
            RefusedError: the address is not allowed, or has no key.
            PutOffError: it can't be had at the moment; or the key that fitted is gone, which a server in
                trouble says too.
        """
        if not isinstance(url, str) or len(url) > LONGEST_ADDRESS or not self._is_allowed(url):
            raise RefusedError(401, "key address not allowed", _shown(url))
        now = self._monotonic()
        place = self._place(url)
        kept = place.get(url)
        if kept and now - kept[1] < (RENEW_SECONDS if newer else KEPT_SECONDS):
            place.move_to_end(url)
            return kept[0]
        if now - self._missing.get(url, -MISSING_SECONDS) < MISSING_SECONDS:
            raise self._no_key(url)
        try:
            found = await self._fetched(url, seconds, sender)
        except PutOffError:
            # An old key is better than none: a forged message does not fit it either.
            if kept:
                return kept[0]
            raise
        if found is None:
            raise self._no_key(url)
        return found

    def fitted(self, url: str) -> None:
        """Keep a key whose message was genuine: no other address displaces it any more.

        Whoever invents addresses on an allowed host, by as little as another query, has no such message.
        """
        if url in self._kept:
            self._fitting[url] = self._kept.pop(url)
            _shrink(self._fitting, MAX_KEPT_KEYS)
        if url in self._expected:
            return
        self._expected[url] = None
        _shrink(self._expected, MAX_KEPT_KEYS)
        if self._remember is not None:
            self._remember(list(self._expected))

    async def close(self) -> None:
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _no_key(self, url: str) -> RefusedError | PutOffError:
        if url in self._expected:
            return PutOffError("signing key is gone", _shown(url))
        return RefusedError(401, "no such key", _host(url))

    async def _fetched(self, url: str, seconds: float, sender: str) -> str | None:
        task = self._running.get(url)
        if task is None:
            self._count_fetch(self._fetches[url in self._expected], sender)
            task = self._running[url] = asyncio.create_task(self._fetch_and_keep(url))
            task.add_done_callback(lambda done: self._forget_task(url, done))
        done, _ = await asyncio.wait({task}, timeout=max(0.0, seconds))
        if not done:
            raise PutOffError("signing key is slow")
        return task.result()

    def _place(self, url: str) -> OrderedDict[str, tuple[str, float]]:
        return self._fitting if url in self._fitting else self._kept

    def _count_fetch(self, fetches: deque[tuple[float, str]], sender: str) -> None:
        now = self._monotonic()
        while fetches and now - fetches[0][0] >= FETCH_WINDOW:
            fetches.popleft()
        is_new = sender not in {each for _, each in fetches}
        if len(fetches) >= (2 * MAX_FETCHES if is_new else MAX_FETCHES):
            raise PutOffError("too many signing keys asked for")
        fetches.append((now, sender))

    async def _fetch_and_keep(self, url: str) -> str | None:
        found = await self._fetch(url)
        place = self._place(url)
        if found is None:
            place.pop(url, None)
            self._missing[url] = self._monotonic()
            _shrink(self._missing, MAX_MISSING)
        else:
            place[url] = (found, self._monotonic())
            place.move_to_end(url)
            _shrink(place, MAX_KEPT_KEYS)
        return found

    def _forget_task(self, url: str, task: asyncio.Task[str | None]) -> None:
        self._running.pop(url, None)
        if not task.cancelled():
            # Looked at here, since whoever waited for it may be gone.
            task.exception()

    def _is_allowed(self, url: str) -> bool:
        return is_allowed_key_url(url, self._hosts, self._paths) or self._is_own(url)

    def _is_own(self, url: str) -> bool:
        parts = plain_address(url)
        if parts is None or not self._own.netloc or not is_key_path(parts.path, self._paths):
            return False
        return (parts.scheme, parts.netloc.lower()) == (self._own.scheme, self._own.netloc.lower())


def _shrink(kept: OrderedDict[str, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)


def _host(url: object) -> str:
    """The host for a log line, as far as there is one."""
    try:
        return (urlsplit(url).hostname or "")[:100] if isinstance(url, str) else ""
    except ValueError:
        return ""


def _shown(url: object) -> str:
    """Host and path for a log line: whoever runs the receiver must see a form that it does not know."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return ""
    return ascii(f"{parts.hostname or ''}{parts.path}"[:150])[1:-1]


@dataclass(frozen=True, slots=True)
class Genuine:
    """A message that may be kept, once by its ``name`` and, where that is not signed, by its ``digest``."""

    source: str
    name: str
    body: dict[str, Any]
    digest: str = ""


class ConnectWiseCheck:
    """Checks callbacks of one login company."""

    def __init__(self, keys: SigningKeys, company_id: str) -> None:
        self._keys = keys
        self._company = company_id.lower()

    def head(self, headers: Headers) -> None:
        """RefusedError where the head alone shows that the message is not ConnectWise's."""
        _require_genuine(connectwise_head(headers.get(CONNECTWISE_HEADER)))

    async def __call__(self, raw: bytes, headers: Headers, seconds: float, sender: str = "") -> Genuine:
        """The message; ``seconds`` is how long a signing key may be waited for, ``sender`` its network.

        Raises:
            RefusedError: it is not ConnectWise's, or not for this company.
            PutOffError: the key can't be had at the moment.
        """
        signature = headers.get(CONNECTWISE_HEADER) or ""
        message = json_object(raw)
        _require_genuine(await self._verdict(raw, signature, message, seconds, sender))
        if str(message.get("CompanyId") or "").strip().lower() != self._company:
            raise RefusedError(403, "other company")
        return Genuine(CONNECTWISE_SOURCE, callback_name(message, raw), kept_callback(message))

    async def _verdict(
        self, raw: bytes, signature: str, message: Mapping[str, Any], seconds: float, sender: str
    ) -> Verdict:
        metadata = message.get("Metadata")
        url = metadata.get("key_url") if isinstance(metadata, dict) else None
        key = await self._keys.key(url, seconds=seconds, sender=sender)
        verdict = verify_connectwise(raw, signature, key)
        if verdict is not Verdict.GENUINE:
            newer = await self._keys.key(url, seconds=seconds, newer=True, sender=sender)
            verdict = verdict if newer == key else verify_connectwise(raw, signature, newer)
        if verdict is Verdict.GENUINE:
            self._keys.fitted(str(url))
        return verdict


class FieldNationCheck:
    """Checks webhooks that are signed with one secret."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._now = now

    def head(self, headers: Headers) -> None:
        """RefusedError where the head alone shows that the message is not to be believed."""
        _require_genuine(field_nation_head(headers, self._now()))
        _delivery(headers)

    async def __call__(self, raw: bytes, headers: Headers, seconds: float, sender: str = "") -> Genuine:
        """The message; RefusedError for one that is forged, old, or without a delivery id."""
        _require_genuine(verify_field_nation(raw, headers, self._secret, self._now()))
        delivery = _delivery(headers)
        message = json_object(raw)
        if is_stale(message.get("timestamp"), self._now()):
            raise RefusedError(401, str(Verdict.OLD))
        return Genuine(FIELD_NATION_SOURCE, delivery, kept_webhook(message), hashlib.sha256(raw).hexdigest())


def _require_genuine(verdict: Verdict) -> None:
    if verdict is not Verdict.GENUINE:
        raise RefusedError(401, str(verdict))


def _delivery(headers: Headers) -> str:
    found = delivery_of(headers)
    if found is None:
        raise RefusedError(400, "no delivery id")
    return found


class KeyFetcher:
    """``await fetcher(url)``: the text of the key, or None where there is none.

    The vendor's guide shows the call without credentials, one connector says that it needs them. They are
    sent to the API's own host and to no other one of the list.
    """

    def __init__(
        self, settings: ConnectWiseSettings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        base = httpx.URL(settings.base_url)
        self._own = (base.scheme, base.netloc)
        self._credentials = dict(settings.headers())
        self._client = open_connections(base, _HEADERS, transport, MAX_FETCHES, STEP_LIMITS, True)

    async def __call__(self, url: str) -> str | None:
        """The key; PutOffError if there is no answer now that says anything about it."""
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            return None
        headers = self._credentials if (address.scheme, address.netloc) == self._own else {}
        try:
            status, raw = await self._answer(address, headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise PutOffError("signing key can't be fetched", type(error).__name__) from None
        if status in _NONE_THERE:
            return None
        key = _key_in(raw) if status == httpx.codes.OK else ""
        if not key:
            raise PutOffError("signing key can't be fetched", f"answer {status}")
        return key

    async def close(self) -> None:
        await self._client.aclose()

    async def _answer(self, address: httpx.URL, headers: dict[str, str]) -> tuple[int, bytes]:
        """The status and the bytes as they came; no bytes if they are too many or compressed."""
        raw = b""
        async with (
            asyncio.timeout(ANSWER_TIMEOUT),
            self._client.stream("GET", address, headers=headers) as answer,
        ):
            # Nobody asked for a compressed answer, and a few bytes may unpack to many.
            if answer.headers.get("content-encoding", "identity") != "identity":
                return answer.status_code, b""
            async for part in answer.aiter_raw():
                raw += part
                if len(raw) > LONGEST_KEY_ANSWER:
                    return answer.status_code, b""
            return answer.status_code, raw


def _key_in(raw: bytes) -> str:
    with suppress(orjson.JSONDecodeError):
        found = orjson.loads(raw)
        key = found.get("signing_key") if isinstance(found, dict) else None
        return key if isinstance(key, str) else ""
    return ""
