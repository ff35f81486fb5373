"""``python -m deployments.save_blocks LEDGER INFO``: saves the blocks of a running sandbox as ``default``.

``LEDGER`` is the SQLite file of the integration's own database, ``INFO`` the sandbox's first line of output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from deployments.blocks import save_sandbox_blocks

if __name__ == "__main__":
    asyncio.run(save_sandbox_blocks(json.loads(sys.argv[2]), Path(sys.argv[1])))
