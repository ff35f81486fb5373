"""Edits of assets that Lansweeper refused: left out of the plan until their texts change, with since when.

An edit is held as ``tasks.rules.quarantine`` has it: by the texts that it would write and the fields that
they go to. Tickets and agreements change, so most are tried again by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.ledger.models import HeldRecord, WriteEntry
from tasks.enrichment.run import EnrichmentRun
from tasks.rules.enrichment.plan import AssetUpdate, EnrichmentPlan, SkippedConfiguration
from tasks.rules.enrichment.undo import ASSET
from tasks.rules.quarantine import Attempt, fingerprint, held_words, is_held
from tasks.rules.text import counted
from tasks.shared.journalled import WriteResult
from tasks.shared.next_run import (
    keep_or_note,
    keep_refused_records,
    note_unsent,
    only_failed,
    only_words,
    refused_record,
)

HELD_EDITS = "tickets-agreements-sla-sync"
"""Whose rows of the quarantine these are."""


async def held_edits(run: EnrichmentRun) -> dict[str, HeldRecord]:
    """All that is held of the company, by asset key: one query."""
    return await run.ledger.quarantine.held(run.site_tenant, HELD_EDITS, run.company.id)


async def select_assets(run: EnrichmentRun, held: Mapping[str, HeldRecord]) -> None:
    """Note which assets the run is about: all, or what is held, or what failed in the run that is named.

    Raises:
        StopError: the named run edited no asset for this company.
    """
    typed, company = run.settings.only_failed, run.company.identifier
    run.only = await only_failed(run.journal, typed, held, kind=ASSET, company=company)
    if run.only is not None:
        run.notes.append(only_words(typed, run.only))


def hold_back_edits(run: EnrichmentRun, plan: EnrichmentPlan, held: Mapping[str, HeldRecord]) -> None:
    """Take the updates that would be refused again out of the plan, unless a person asks for them."""
    if run.settings.retry_refused or run.only is not None or not held:
        return
    left: list[AssetUpdate] = []
    for each in plan.updates:
        known = held.get(each.asset.key)
        if known is not None and is_held(known, _attempt(run, each)):
            plan.skipped.append(SkippedConfiguration(each.configuration, held_words(known)))
        else:
            left.append(each)
    plan.updates = left


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
    # Of an asset that this run did not look at nothing is known.
    looked_at = held.keys() if run.only is None else run.only
    done = [key for key in held if key in looked_at and key not in left]
    async with keep_or_note("What was refused in this run", run.notes):
        await keep_refused_records(
            run.journal,
            HELD_EDITS,
            run.company.identifier,
            refused=refused,
            done=done,
            notes=run.notes,
            words=f"{counted(len(refused), 'refused edit')} held from now on: not sent again until the texts "
            "change, or Try refused records again is set.",
        )
        await note_unsent(
            run.journal,
            [
                WriteEntry("modify", ASSET, None, each.asset.key, each.name, each.before(), each.after())
                for each in plan.updates
                if not (result := edited.get(each.asset.key)) or not (result.ok or result.written)
            ],
        )


def _attempt(run: EnrichmentRun, update: AssetUpdate) -> Attempt:
    return Attempt(fingerprint(update.after()), "", fingerprint(run.field_keys))


def _refused(run: EnrichmentRun, update: AssetUpdate, result: WriteResult) -> HeldRecord:
    attempt = _attempt(run, update)
    return refused_record(
        run.journal, "edit", result, name=update.name, payload=attempt.payload, rules=attempt.rules
    )
