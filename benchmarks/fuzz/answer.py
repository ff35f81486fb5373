"""An answer of a vendor between vendor and client, as the damages change it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx


class Wire:
    """An answer on its way: what a damage may change."""

    def __init__(self, vendor: str, request: httpx.Request, body: Any, headers: dict[str, str]) -> None:
        self.vendor = vendor
        self.request = request
        self.status = 201 if request.method == "POST" else 200
        self.content = b"" if body is None else json.dumps(body).encode()
        self.body = body
        self.headers: list[tuple[str, str]] = [("Content-Type", "application/json"), *headers.items()]
        self.error: Exception | None = None
        self.breaks_at: int | None = None

    def set_body(self, body: Any) -> None:
        """Another body, as JSON where it has such a form."""
        self.content = json.dumps(body).encode("utf-8", "surrogatepass")

    def set_header(self, name: str, value: str) -> None:
        """One value of a header instead of any other."""
        self.headers = [each for each in self.headers if each[0].lower() != name.lower()] + [(name, value)]

    def response(self) -> httpx.Response:
        """The answer for the HTTP library."""
        if self.error is not None:
            raise self.error
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in self.headers]
        return httpx.Response(self.status, headers=headers, stream=_Stream(self.content, self.breaks_at))


class _Stream(httpx.AsyncByteStream):
    def __init__(self, content: bytes, breaks_at: int | None) -> None:
        self._content = content
        self._breaks_at = breaks_at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 65_536):
            if self._breaks_at is not None and start >= self._breaks_at:
                raise httpx.RemoteProtocolError("peer closed connection")
            yield self._content[start : start + 65_536]
