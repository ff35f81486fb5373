"""``python -m benchmarks.performance.enrichment_blocks LEDGER INFO``: the sandbox's blocks, with room for
every request.

The request budget of ConnectWise spreads thousands of requests over half an hour; here they are counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from deployments.blocks import save_sandbox_blocks

if __name__ == "__main__":
    asyncio.run(save_sandbox_blocks(json.loads(sys.argv[2]), Path(sys.argv[1]), request_limit=100_000))
