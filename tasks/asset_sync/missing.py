"""Since when assets of linked configurations are missing, by whole readings that fit to what is known."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.ledger.models import MissingAsset
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.matching.result import MatchResult
from tasks.shared.next_run import keep_or_note


async def note_missing(run: SyncRun, matched: MatchResult) -> Mapping[str, MissingAsset]:
    """Note which assets this reading misses, and answer since when each is missing, by its key.

    Noted only by a reading of the whole site that fits to everything that is known from before: a filter, a
    page that is missing or fewer records than last time prove nothing. To be called with what was matched of
    the whole reading. Costs no request.
    """
    table = run.ledger.missing_assets
    if run.whole_site and not run.findings:
        missing = {each.asset_key: each.id for each in matched.orphaned if each.asset_key}
        async with keep_or_note("Which assets are missing", run.notes):
            await table.note(run.tenant, run.company.id, missing)
    return await table.of_company(run.tenant, run.company.id)
