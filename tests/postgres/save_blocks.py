"""Saves the sandbox's blocks, with the ledger in a PostgreSQL database, in a process with its own Prefect.

Arguments: the ledger's address, the sandbox's first line, the ConnectWise block's request limit and window.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from pydantic import SecretStr

from connectors.ledger.block import LedgerDatabase
from deployments.blocks import save_sandbox_blocks
from tasks.shared.connections import DEFAULT


async def save(ledger: str, info: str, limit: int, window: int) -> None:
    await save_sandbox_blocks(
        json.loads(info), Path("unused"), request_limit=limit, request_window_seconds=window
    )
    await LedgerDatabase(url=SecretStr(ledger)).save(DEFAULT, overwrite=True)


if __name__ == "__main__":
    asyncio.run(save(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
