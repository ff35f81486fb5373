"""The forecast of a run: requests to both vendors and the time, once it has its plan."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.enrichment.run import EnrichmentRun
from tasks.lansweeper.edit_asset import BatchSize
from tasks.rules.enrichment.plan import AssetUpdate, edit_requests
from tasks.rules.forecast import Forecast, Step
from tasks.shared.request_times import forecast_run, known_seconds


async def forecast_edits(
    run: EnrichmentRun, updates: Sequence[AssetUpdate], *, more_reads: int = 0
) -> Forecast:
    """What the whole run takes if it makes the missing fields and edits these assets.

    ConnectWise is asked nothing more by then. No request; what edits cost is what the last run learned.
    """
    connectwise, lansweeper = run.client.session, run.assets.session
    size = await BatchSize.remembered(run.assets, run.site_id, run.ledger, run.settings.aliases)
    seconds = await known_seconds(run.ledger, run.site_tenant, lansweeper)
    path = f"POST {run.assets.settings.path}"
    fields, edits = len(run.fields_missing), edit_requests(len(updates), size.most)
    look = f"{path} customFields"
    steps = []
    if fields:
        made = (seconds.mean(look), seconds.mean(f"{path} createCustomField"))
        steps += [Step(lansweeper.system, 1, made[:1]), Step(lansweeper.system, fields, made)]
    if edits:
        cost = size.cost(min(size.most, len(updates)))
        steps.append(Step(lansweeper.system, edits, (seconds.mean(f"{path} editAssets"),), cost=cost))
    return await forecast_run(
        steps,
        {lansweeper.system: run.lansweeper},
        requests={
            connectwise.system: connectwise.requests,
            lansweeper.system: lansweeper.requests + more_reads + sum(each.requests for each in steps),
        },
        guessed=seconds.guessed,
    )
