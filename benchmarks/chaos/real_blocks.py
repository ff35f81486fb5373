"""``python -m benchmarks.chaos.real_blocks LANES``: saves the blocks of several sandboxes at once.

``LANES`` is a JSON array of ``{"name", "info", "ledger"}``: the blocks' name, the sandbox's first line of
output and the SQLite file of the ledger.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from deployments.blocks import sandbox_blocks


async def save(lanes: list[dict[str, Any]]) -> None:
    """Save the three blocks of every lane under its name."""
    for lane in lanes:
        for block in sandbox_blocks(lane["info"], Path(lane["ledger"])):
            await block.save(lane["name"], overwrite=True)


if __name__ == "__main__":
    asyncio.run(save(json.loads(sys.argv[1])))
