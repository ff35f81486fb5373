"""Keep the texts that people changed in Lansweeper, as far as the journal knows what was written there."""

from __future__ import annotations

from tasks.enrichment.run import EnrichmentRun
from tasks.rules.edits import conflicts_of, kept_of
from tasks.rules.enrichment.edits import may_be_edited, without_edits
from tasks.rules.enrichment.plan import EnrichmentPlan
from tasks.rules.enrichment.undo import ASSET
from tasks.shared.progress import run_logger

ASSETS_AT_A_TIME = 500
"""Assets whose last written texts are read in one query."""


async def keep_edited_texts(run: EnrichmentRun, plan: EnrichmentPlan) -> EnrichmentPlan:
    """The plan without the texts that people changed, unless the settings say otherwise; it names them.

    No request; a query of the ledger for each ``ASSETS_AT_A_TIME`` assets of which a text would be replaced.
    """
    keys, settings = may_be_edited(plan), run.settings
    written: dict[str, dict[str, list[str]]] = {}
    for start in range(0, len(keys), ASSETS_AT_A_TIME):
        some = keys[start : start + ASSETS_AT_A_TIME]
        written |= await run.ledger.journal.last_values(run.site_tenant, ASSET, some)
    left = without_edits(plan, written, settings.edited_texts, settings.on_conflict)
    if left.edits:
        kept, conflicts = len(kept_of(left.edits)), len(conflicts_of(left.edits))
        run_logger().info("Texts that people changed: %d kept, %d in conflict", kept, conflicts)
    return left
