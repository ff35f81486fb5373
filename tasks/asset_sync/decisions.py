"""Decisions of people on matches within a run: read before matching, and what waits for one, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.artifacts import acreate_table_artifact

from tasks.asset_sync.report import RecordAddresses
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.matching.decisions import Decided, decided_of, decision_row
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.render import queue_rows
from tasks.rules.connection_findings import Finding, FindingResult
from tasks.rules.text import counted
from tasks.shared.connections import connectwise_sites, open_ledger

DECISIONS_KEY = "match-decisions"
QUEUE_KEY = "ambiguous-assets"
_MOST_ROWS = 200
"""Rows of each table: beyond it the number is said."""


async def read_decisions(run: SyncRun) -> Decided:
    """What people decided on matches of the run's company: one query of the ledger."""
    return decided_of(await run.ledger.match_decisions.of_company(run.tenant, run.company.id))


async def publish_queue(run: SyncRun, plan: Plan) -> None:
    """Show the ambiguous assets, a row a candidate with the parameters of link-configuration beside it.

    Published by every run, so that the newest table is empty once everything is decided.
    """
    links = RecordAddresses(run, plan)
    rows = queue_rows(plan.ambiguous, run.company.identifier, links.configuration, links.asset, _MOST_ROWS)
    text = (
        f"{counted(len(plan.ambiguous), 'ambiguous asset')} of {run.company.identifier}. Run "
        "link-configuration with the parameters of a row to decide it."
    )
    await acreate_table_artifact(table=rows, key=QUEUE_KEY, description=text)


async def publish_decisions(connectwise: Sequence[str]) -> Finding:
    """Show the decisions that stand, the newest first, with links for the tenants of these blocks."""
    sites = await connectwise_sites(connectwise)
    async with open_ledger() as ledger:
        found = await ledger.match_decisions.every(_MOST_ROWS + 1)
    rows = []
    for tenant, company, decision in found[:_MOST_ROWS]:
        site = sites.get(tenant)
        rows.append(decision_row(company, decision, site.configuration_url if site else lambda _: None))
    many = f"More than {_MOST_ROWS} decisions stand; the newest are shown."
    text = many if len(found) > _MOST_ROWS else f"{counted(len(found), 'decision')} on matches."
    await acreate_table_artifact(table=rows, key=DECISIONS_KEY, description=text)
    details = f"{text} The artifact {DECISIONS_KEY} has them." if found else "No decision on a match stands."
    result = FindingResult.NOTE if found else FindingResult.OK
    return Finding("Ledger", "Decisions on matches", result, details)
