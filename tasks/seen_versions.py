"""Remembers which version of ConnectWise each connection reached last, in a Prefect variable."""

from __future__ import annotations

from typing import Any

from prefect.variables import Variable

VARIABLE = "connectwise_flows_seen_versions"


async def last_seen_version(connection: str) -> str | None:
    """The version that the last check of this connection saw."""
    return (await _seen()).get(connection)


async def note_version(connection: str, version: str) -> None:
    """Remember the version for the next check; an unknown one leaves what is remembered."""
    seen = await _seen()
    if version and seen.get(connection) != version:
        await Variable.aset(VARIABLE, {**seen, connection: version}, overwrite=True)


async def _seen() -> dict[str, str]:
    seen: Any = await Variable.aget(VARIABLE, default=None)
    return {str(name): str(version) for name, version in seen.items()} if isinstance(seen, dict) else {}
