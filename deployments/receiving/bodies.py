"""Reads a message's body: never more of it than the limit, and never for longer than a moment."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from deployments.receiving.verdicts import PutOffError, RefusedError

READ_SECONDS = 3.0
"""ConnectWise gives an answer five seconds."""


async def read_body(request: Request, limit: int) -> bytes:
    """The raw bytes, on which the signature was made.

    Raises:
        RefusedError: 413, more than ``limit`` bytes are announced or come.
        PutOffError: it comes too slowly, or its sender went away.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 15 or int(announced) > limit:
        raise RefusedError(413, "too large")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise RefusedError(413, "too large")
                parts.append(part)
    except TimeoutError:
        raise PutOffError("body too slow") from None
    except ClientDisconnect:
        raise PutOffError("sender went away") from None
    return b"".join(parts)


def json_object(raw: bytes) -> dict[str, Any]:
    """The body as a JSON object; RefusedError 400 for everything else, however deep or odd it is."""
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise RefusedError(400, "no JSON object")
    return found
