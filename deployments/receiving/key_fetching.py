"""Fetches a signing key over HTTP: no redirects, a small answer, our credentials to our own server only."""

from __future__ import annotations

from contextlib import suppress

import httpx
import orjson

from connectors.addresses import is_loopback
from connectors.connectwise.settings import ConnectWiseSettings
from deployments.receiving.verdicts import PutOffError

LONGEST_KEY_ANSWER = 16_384
TIMEOUT = httpx.Timeout(4.0)
_HEADERS = {"User-Agent": "connectwise-flows", "Accept": "application/json", "Accept-Encoding": "identity"}
_NONE_THERE = frozenset({400, 404, 410})


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
        # A proxy named in the environment must not see what is meant for this machine.
        direct: dict[str, None] = {f"all://{base.netloc.decode()}": None} if is_loopback(base) else {}
        self._client = httpx.AsyncClient(
            headers=_HEADERS,
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=transport,
            mounts=direct,
        )

    async def __call__(self, url: str) -> str | None:
        """The key; PutOffError if there is no answer now that says anything about it."""
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            return None
        headers = self._credentials if (address.scheme, address.netloc) == self._own else {}
        try:
            status, raw = await self._answer(address, headers)
        except httpx.HTTPError as error:
            raise PutOffError("signing key can't be fetched", type(error).__name__) from None
        if status in _NONE_THERE:
            return None
        key = _key_in(raw) if status == httpx.codes.OK else ""
        if not key:
            raise PutOffError("signing key can't be fetched", f"answer {status}")
        return key

    async def close(self) -> None:
        """Closes its connections."""
        await self._client.aclose()

    async def _answer(self, address: httpx.URL, headers: dict[str, str]) -> tuple[int, bytes]:
        raw = b""
        async with self._client.stream("GET", address, headers=headers) as answer:
            async for part in answer.aiter_bytes():
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
