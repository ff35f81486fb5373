"""Runs a flow in a process that a test may kill: ``python -m tests.support.run_process FLOW SETTINGS``.

``FLOW`` is ``asset-synchronization`` or ``tickets-agreements-sla-sync``, ``SETTINGS`` its settings as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from flows.asset_synchronization import asset_synchronization
from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync

FLOWS: dict[str, Any] = {flow.name: flow for flow in (asset_synchronization, tickets_agreements_sla_sync)}

if __name__ == "__main__":
    state = asyncio.run(FLOWS[sys.argv[1]](json.loads(sys.argv[2]), return_state=True))
    sys.exit(0 if state.is_completed() else 1)
