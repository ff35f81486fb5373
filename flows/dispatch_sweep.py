"""Polling: reconciles every record that changed since the last sweep, whatever callbacks did."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from tasks.dispatch.inbox import drain_all, handle_notes, handle_work_order
from tasks.dispatch.report import log_result, publish_previews, publish_results, sweep_state
from tasks.dispatch.run import open_dispatch
from tasks.dispatch.sweep import sweep
from tasks.rules.modes import plans_only
from tasks.shared.connections import DEFAULT, shared_connections
from tasks.shared.run_forms import (
    ConnectWiseName,
    EarlierDryRun,
    FieldNationName,
    LedgerName,
    Mode,
    RulesName,
    titled,
)
from tasks.shared.run_names import flow_run_name

TITLE = "Dispatch sweep"


@flow(name="dispatch-sweep", flow_run_name=flow_run_name, persist_result=False)
async def dispatch_sweep(
    mode: Mode = None,
    accept_cancellations: Annotated[
        int,
        titled(
            "Accept cancellations",
            "So many work orders may be cancelled in this run beyond the ceiling of the rules.",
        ),
    ] = 0,
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    dry_run: EarlierDryRun = None,
) -> Any:
    """Look at every record that changed since the last sweep, and again at what is not done yet.

    It covers what callbacks missed, drains the inbox as well, and reports two living work orders of one
    record. A dry run, the default, shows what would be done and leaves the inbox alone.
    """
    planned = plans_only(mode, dry_run)
    async with (
        shared_connections(read_only=planned, ledger=ledger),
        open_dispatch(
            connectwise, field_nation, rules, accept_cancellations=max(0, accept_cancellations)
        ) as run,
    ):
        swept = await sweep(run, dry_run=planned)
        counts = {"read": swept.read, "looked at again": swept.reopened, "left as they are": swept.passed}
        notes = [*swept.doubts, *swept.doubles, *swept.unreadable]
        if planned:
            await publish_previews(run, TITLE, swept.previews, counts=counts, notes=notes)
            return swept
        drained = await drain_all(run, handle_work_order, handle_notes)
        for result in swept.results:
            log_result(result)
        results = [*swept.results, *drained.results]
        counts["messages of the inbox"] = drained.messages
        await publish_results(run, TITLE, results, counts=counts, notes=notes)
    return sweep_state(swept, results, [*swept.doubles, *swept.unreadable])
