"""Runs asset-synchronization in a process that a test may kill; its argument is the settings as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from flows.asset_synchronization import asset_synchronization
from tasks.asset_sync.settings import AssetSynchronizationSettings

if __name__ == "__main__":
    settings = AssetSynchronizationSettings.model_validate(json.loads(sys.argv[1]))
    state = asyncio.run(asset_synchronization(settings, return_state=True))  # type: ignore[arg-type]
    sys.exit(0 if state.is_completed() else 1)
