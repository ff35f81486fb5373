"""Real dropped connections, and requests that go on after their connection is gone (uvicorn only)."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def read_body(receive: Receive) -> bytes | None:
    """The whole body of a request; None where the client left before it was sent."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes) -> Receive:
    """A ``receive`` that gives a body once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def drop(send: Send) -> None:
    """Close the TCP connection without an answer.

    ``send`` is the server's own: it is bound to the request's cycle, which holds the transport. The cycle
    must know that the client is gone before the application returns, else uvicorn would answer 500.
    """
    cycle: Any = getattr(send, "__self__", None)
    if cycle is None:
        raise RuntimeError("connections can only be dropped behind uvicorn")
    cycle.transport.abort()
    while not cycle.disconnected:  # noqa: ASYNC110 - uvicorn gives a flag, not an event
        await asyncio.sleep(0.001)


async def run_unheard(app: ASGIApp, scope: Scope, body: bytes) -> None:
    """Let the application do its work and throw the answer away."""

    async def send(message: Message) -> None:
        return None

    await app(scope, replay(body), send)
