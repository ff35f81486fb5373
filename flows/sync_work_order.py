"""Applies the events of one Field Nation work order to its ticket, each action once."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from prefect import flow

from tasks.dispatch.report import publish_results, single_state
from tasks.dispatch.run import open_dispatch
from tasks.dispatch.work_order_events import preview_events, retry_outbound, sync_events
from tasks.rules.limits import check_positive
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

ARTIFACT_KEY = "sync-work-order"
WorkOrderNumber = Annotated[int, titled("Work order", "Number of the Field Nation work order.")]


@flow(name="sync-work-order", flow_run_name=flow_run_name, persist_result=False)
async def sync_work_order(
    work_order_id: WorkOrderNumber,
    mode: Mode = None,
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    dry_run: EarlierDryRun = None,
) -> Any:
    """Read one work order and do to its ticket what its events want: status, note, field, time entry.

    A dry run, the default, shows what would be done. Running it again repeats nothing.
    """
    planned = plans_only(mode, dry_run)
    number = check_positive("Work order", work_order_id)
    async with (
        shared_connections(read_only=planned, ledger=ledger),
        open_dispatch(connectwise, field_nation, rules) as run,
    ):
        if planned:
            result = await preview_events(run, number)
        else:
            result = await retry_outbound(run, partial(sync_events, run, number))
        title = f"Work order {number}"
        await publish_results(run, title, [result], key=ARTIFACT_KEY, dry_run=planned)
    return single_state(result)
