"""Edits of assets that Lansweeper refused: left out of the plan until their texts change, with since when.

An edit is held as ``tasks.rules.quarantine`` has it: by the texts that it would write and the fields that
they go to. Tickets and agreements change, so most are tried again by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.ledger.models import HeldRecord
from tasks.enrichment.run import EnrichmentRun
from tasks.rules.enrichment.plan import AssetUpdate, EnrichmentPlan, SkippedConfiguration
from tasks.rules.quarantine import Attempt, fingerprint, held_words, is_held
from tasks.rules.text import counted
from tasks.shared.journalled import WriteResult
from tasks.shared.next_run import keep_or_note, keep_refused_records, refused_record

HELD_EDITS = "tickets-agreements-sla-sync"
"""Whose rows of the quarantine these are."""


async def hold_back_edits(run: EnrichmentRun, plan: EnrichmentPlan) -> dict[str, HeldRecord]:
    """Take the updates that would be refused again out of the plan; all that is held, by asset key."""
    held = await run.ledger.quarantine.held(run.site_tenant, HELD_EDITS, run.company.id)
    if run.settings.retry_refused or not held:
        return held
    left: list[AssetUpdate] = []
    for each in plan.updates:
        known = held.get(each.asset.key)
        if known is not None and is_held(known, _attempt(run, each)):
            plan.skipped.append(SkippedConfiguration(each.configuration, held_words(known)))
        else:
            left.append(each)
    plan.updates = left
    return held


async def keep_refused_edits(
    run: EnrichmentRun,
    plan: EnrichmentPlan,
    edited: Mapping[str, WriteResult],
    held: Mapping[str, HeldRecord],
) -> None:
    """Hold what was refused in this run, and let go of what was written or needs no edit any more.

    Where the ledger can't keep it, the refused is sent again.
    """
    refused = [
        _refused(run, each, result)
        for each in plan.updates
        if (result := edited.get(each.asset.key)) is not None and result.refused
    ]
    left = {each.configuration.asset_key for each in plan.skipped}
    left |= {each.asset_key for each in plan.asset_gone}
    left |= {each.asset.key for each in plan.updates if not (r := edited.get(each.asset.key)) or not r.ok}
    done = [key for key in held if key not in left]
    async with keep_or_note("What was refused in this run", run.notes):
        await keep_refused_records(
            run.journal,
            HELD_EDITS,
            refused=refused,
            done=done,
            notes=run.notes,
            words=f"{counted(len(refused), 'refused edit')} held from now on: not sent again until the texts "
            "change, or Try refused records again is set.",
        )


def _attempt(run: EnrichmentRun, update: AssetUpdate) -> Attempt:
    return Attempt(fingerprint(update.after()), "", fingerprint(run.field_keys))


def _refused(run: EnrichmentRun, update: AssetUpdate, result: WriteResult) -> HeldRecord:
    attempt = _attempt(run, update)
    return refused_record(
        run.journal, "edit", result, name=update.name, payload=attempt.payload, rules=attempt.rules
    )
