"""Runs tickets-agreements-sla-sync in a process that a test may kill; its argument: the settings as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync
from tasks.enrichment.settings import EnrichmentSettings

if __name__ == "__main__":
    settings = EnrichmentSettings.model_validate(json.loads(sys.argv[1]))
    state = asyncio.run(tickets_agreements_sla_sync(settings, return_state=True))  # type: ignore[arg-type]
    sys.exit(0 if state.is_completed() else 1)
