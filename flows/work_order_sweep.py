"""Polling: applies the events of every work order in flight, whatever webhooks did."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.dispatch.report import publish_results, sweep_state
from tasks.dispatch.run import open_dispatch
from tasks.dispatch.sweep import sweep_work_orders
from tasks.rules.modes import plans_only
from tasks.shared.connections import DEFAULT, shared_connections
from tasks.shared.run_forms import (
    ConnectWiseName,
    EarlierDryRun,
    FieldNationName,
    LedgerName,
    Mode,
    RulesName,
)
from tasks.shared.run_names import flow_run_name

ARTIFACT_KEY = "work-order-sweep"
TITLE = "Work order sweep"


@flow(name="work-order-sweep", flow_run_name=flow_run_name, persist_result=False)
async def work_order_sweep(
    mode: Mode = None,
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    dry_run: EarlierDryRun = None,
) -> Any:
    """List the work orders in flight and apply the events of those to which something has happened.

    Only those count that belong to a record of dispatch, or carry its reference. Two living work orders with
    one reference are reported.
    """
    planned = plans_only(mode, dry_run)
    async with (
        shared_connections(read_only=planned, ledger=ledger),
        open_dispatch(connectwise, field_nation, rules) as run,
    ):
        swept = await sweep_work_orders(run, dry_run=planned)
        counts = {
            "listed": swept.listed,
            "not of dispatch": swept.strangers,
            "nothing new": swept.passed,
            "in no list": swept.unlisted,
        }
        await publish_results(
            run, TITLE, swept.results, key=ARTIFACT_KEY, counts=counts, notes=swept.doubles, dry_run=planned
        )
    return sweep_state(swept, swept.results, swept.doubles)
