"""The forecast of a run: requests to both vendors and the time, once it has its plan."""

from __future__ import annotations

from connectors.lansweeper.settings import SYSTEM as LANSWEEPER
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.forecast import write_steps
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.forecast import Forecast
from tasks.shared.concurrency import BATCHES_AT_ONCE
from tasks.shared.request_times import forecast_run, known_seconds


async def forecast_writes(run: SyncRun, plan: Plan) -> Forecast:
    """What the whole run takes if it writes the plan. Lansweeper is asked nothing after it."""
    session = run.client.session
    seconds = await known_seconds(run.ledger, run.tenant, session)
    steps = write_steps(
        plan.predicted,
        plan.reference_creations,
        seconds,
        vendor=session.system,
        width=BATCHES_AT_ONCE,
    )
    return await forecast_run(
        steps,
        {session.system: run.connectwise},
        requests={session.system: plan.predicted.total, LANSWEEPER: run.site_requests},
        guessed=seconds.guessed,
    )
