"""``python -m benchmarks.save_blocks CONNECTIONS``: save the blocks of sandboxes in a process of its own.

``CONNECTIONS`` is a JSON array of ``{"name", "info", "ledger", "connectwise"}``: the blocks' name, the
sandbox's first line of output, the SQLite file of the ledger, and further fields of the ConnectWise block
(left out: none). Prefect's server is the one that the environment names.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from deployments.blocks import sandbox_blocks

ROOM = {"request_limit": 100_000}
"""For a benchmark that counts requests: the usual limit would spread thousands of them over half an hour."""


def connection(
    name: str, info: dict[str, Any], ledger: Path, connectwise: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One entry of ``CONNECTIONS``."""
    return {"name": name, "info": info, "ledger": str(ledger), "connectwise": connectwise or {}}


async def save(connections: list[dict[str, Any]]) -> None:
    """Save the three blocks of every connection under its name, over those that are there."""
    for each in connections:
        for block in sandbox_blocks(each["info"], Path(each["ledger"]), **each["connectwise"]):
            await block.save(each["name"], overwrite=True)


if __name__ == "__main__":
    asyncio.run(save(json.loads(sys.argv[1])))
