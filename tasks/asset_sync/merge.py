"""What both sides agreed on, for the authority ``merge``: read from the ledger, kept there after the run.

Costs no request. The rules are in ``tasks.rules.asset_sync.merge``. A run that is killed keeps nothing; its
journal tells the next one what was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.asset_sync.apply import Applied
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.merge import Bases
from tasks.rules.asset_sync.references import ReferencePlan
from tasks.rules.edits import Edit
from tasks.rules.guards import GuardFinding
from tasks.rules.mapping.model import OnConflict
from tasks.rules.text import counted
from tasks.shared.next_run import keep_or_note


async def read_bases(run: SyncRun, references: Mapping[str, ReferencePlan]) -> None:
    """What each asset of the company and its configuration agreed on; nothing where no field is merged."""
    if not run.bases.matter:
        return
    ledger, tenant, company = run.ledger.merge_bases, run.tenant, run.company.id
    run.bases = Bases(run.mapping, await ledger.read(tenant, company))
    writes = await (ledger.writes_since if run.settings.dry_run else ledger.begin)(tenant, company)
    if writes:
        run.bases.learn(writes, {path: _names(plan) for path, plan in references.items()})


def _names(plan: ReferencePlan) -> dict[int, str]:
    return {number: name for name, number in (plan.existing | plan.ids).items()}


def note_edits(run: SyncRun, edits: Sequence[Edit]) -> None:
    """Keep the conflicts of the plan for the report, and a finding of those that wait for a person."""
    conflicts = [each for each in edits if each.is_conflict]
    run.conflicts = {(each.asset_key, each.field): each for each in conflicts}
    waiting = sum(each.on_conflict is OnConflict.REPORT for each in conflicts)
    if waiting:
        text = (
            f"{counted(waiting, 'field')} changed in Lansweeper and in ConnectWise, and nothing is written "
            "there: see Conflicts. Make both sides alike, or change On conflict of the mapping."
        )
        run.findings.append(GuardFinding(text, refuses=False))


async def keep_bases(run: SyncRun, applied: Applied) -> None:
    """After a real run: the assets whose base changed, and up to which write the ledger's rows know."""
    for key, result in applied.created.items():
        if result.ok and result.record_id is not None:
            run.bases.created(key, result.record_id)
    run.bases.finish()
    async with keep_or_note("What both sides agree on", run.notes):
        await run.ledger.merge_bases.keep(run.tenant, run.company.id, run.bases.changed)
