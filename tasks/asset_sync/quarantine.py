"""The records of asset-synchronization that a vendor refused: left out of the plan, kept after the writes.

A held record costs nothing at a run, but for configurations that would be modified: whether a person has
changed one since is seen by reading it, 50 in a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from connectors.connectwise.conditions import any_of
from connectors.ledger.models import HeldRecord, Operation, WriteEntry
from tasks.asset_sync.apply import Applied
from tasks.asset_sync.references import asks_again
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.matching.result import Match, MatchResult, only_assets
from tasks.rules.asset_sync.plan import Plan, compare_matched
from tasks.rules.bulk import batches
from tasks.rules.quarantine import Attempt, fingerprint, held_words, may_be_held, still_held, version_of
from tasks.rules.values import AssetRecord, ConfigurationRecord
from tasks.shared.journalled import WriteResult
from tasks.shared.next_run import (
    keep_or_note,
    keep_refused_records,
    note_unsent,
    only_failed,
    only_words,
    refused_record,
)
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry

HELD_FEATURE = "asset-synchronization"
"""Whose rows of the quarantine these are."""
_RULES = {
    "mappings",
    "custom_field_mappings",
    "custom_field_ids",
    "prefix",
    "reference_values",
    "structure_level_id",
    "reactivate",
    "write_mode",
    "software_lines",
}
"""The settings by which a record is made: a change of one may end a refusal."""


async def held_records(run: SyncRun) -> dict[str, HeldRecord]:
    """What is held of the run's company, by asset key: one query."""
    return await run.ledger.quarantine.held(run.tenant, HELD_FEATURE, run.company.id)


async def selected(run: SyncRun, matched: MatchResult, held: Mapping[str, HeldRecord]) -> MatchResult:
    """The assets that the run is about: all, or what is held, or what failed in the run that is named.

    Raises:
        StopError: the named run wrote nothing of this company.
    """
    typed, company = run.settings.only_failed, run.company.identifier
    keys = await only_failed(run.journal, typed, held, kind="configuration", company=company)
    if keys is None:
        return matched
    run.notes.append(only_words(typed, keys))
    return only_assets(matched, keys)


async def held_back(run: SyncRun, matched: MatchResult, held: Mapping[str, HeldRecord]) -> dict[str, str]:
    """Why nothing is written of an asset that would be refused again, by asset key."""
    if not held or asks_again(run.settings):
        return {}
    rules = rules_mark(run)
    attempts = {
        each.asset.key: Attempt(creation_mark(each.asset), "", rules)
        for each in matched.unmatched
        if each.asset.key in held
    }
    known = [each for each in matched.matched if each.asset.key in held]
    pairs = {
        each.match.asset.key: each.match
        for each in compare_matched(known, run.mapping, bases=run.bases).changed
    }
    attempts |= {
        key: Attempt(modification_mark(each.asset, each.configuration), "", rules)
        for key, each in pairs.items()
    }
    candidates = {key: each for key, each in pairs.items() if may_be_held(held[key], attempts[key])}
    for key, version in (await _versions(run, candidates)).items():
        attempts[key] = Attempt(attempts[key].payload, version, rules)
    found = still_held(held, attempts)
    if found:
        run_logger().warning("%d refused records are held back; see the plan", len(found))
    return {key: held_words(each) for key, each in found.items()}


async def _versions(run: SyncRun, pairs: Mapping[str, Match]) -> dict[str, str]:
    """Which version of its configuration each held asset would change now; "gone" where it is."""
    by_id = {each.configuration.id: key for key, each in pairs.items()}
    found = dict.fromkeys(pairs, "gone")
    for ids in batches(sorted(by_id)):
        read = partial(run.client.configurations.list, any_of("id", ids), page=1, page_size=len(ids))
        records = await retry(read, run.settings.waiting)
        found |= {by_id[int(each["id"])]: version_of(each) for each in records}
    return found


async def keep_refused(
    run: SyncRun, matched: MatchResult, plan: Plan, applied: Applied, held: Mapping[str, HeldRecord]
) -> None:
    """Hold what was refused in this run, and let go of what needs it no longer.

    Where the ledger can't keep it, the refused is sent again.
    """
    async with keep_or_note("What was refused in this run", run.notes):
        await _keep_refused(run, matched, plan, applied, held)


async def _keep_refused(
    run: SyncRun, matched: MatchResult, plan: Plan, applied: Applied, held: Mapping[str, HeldRecord]
) -> None:
    refused = [*_refused_creations(run, plan, applied), *_refused_modifications(run, plan, applied)]
    results = {**applied.created, **applied.modified}
    left = {each.asset_key for each in plan.skipped} | {key for key, each in results.items() if not each.ok}
    # Of an asset that this run did not look at (a filter, another site, only what failed) nothing is known.
    looked_at = {each.asset.key for each in matched.matched} | {each.asset.key for each in matched.unmatched}
    done = [key for key in held if key in looked_at and key not in left]
    await keep_refused_records(
        run.journal,
        HELD_FEATURE,
        run.company.identifier,
        refused=refused,
        done=done,
        notes=run.notes,
        words=f"{len(refused)} refused records are held from now on: they are not sent again until their "
        "values, the record or the mapping change, or Try refused records again is set.",
    )
    await _note_unsent(run, plan, applied)


async def _note_unsent(run: SyncRun, plan: Plan, applied: Applied) -> None:
    creations: dict[str, str] = {each.asset.key: each.name for each in plan.creations}
    modifications: dict[str, str] = {each.asset.key: each.name for each in plan.modifications}
    parts: tuple[tuple[Operation, dict[str, str], dict[str, WriteResult]], ...] = (
        ("create", creations, applied.created),
        ("modify", modifications, applied.modified),
    )
    unsent = [
        WriteEntry(operation, "configuration", each.record_id, key, names.get(key, key), None, None)
        for operation, names, results in parts
        for key, each in results.items()
        if not each.ok and not each.written
    ]
    await note_unsent(run.journal, unsent)


def _refused_creations(run: SyncRun, plan: Plan, applied: Applied) -> Iterable[HeldRecord]:
    for each in plan.creations:
        result = applied.created.get(each.asset.key)
        if result is not None and result.refused:
            yield _refused(run, "create", result, each.name, creation_mark(each.asset))


def _refused_modifications(run: SyncRun, plan: Plan, applied: Applied) -> Iterable[HeldRecord]:
    for each in plan.modifications:
        result = applied.modified.get(each.asset.key)
        if result is not None and result.refused:
            mark = modification_mark(each.asset, each.configuration)
            yield _refused(run, "modify", result, each.name, mark)


def _refused(run: SyncRun, step: str, result: WriteResult, name: str, mark: str) -> HeldRecord:
    return refused_record(run.journal, step, result, name=name, payload=mark, rules=rules_mark(run))


def rules_mark(run: SyncRun) -> str:
    """A short text that changes with the settings by which records are made."""
    return fingerprint(run.settings.model_dump(mode="json", include=_RULES))


def creation_mark(asset: AssetRecord) -> str:
    """A short text that changes with what would be created."""
    return fingerprint([asset.wanted])


def modification_mark(asset: AssetRecord, configuration: ConfigurationRecord) -> str:
    """A short text that changes with what would be changed, on either side."""
    return fingerprint([asset.wanted, configuration.current])
