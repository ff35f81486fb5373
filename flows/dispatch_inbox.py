"""Drains the inbox that the receiver fills, for as long as it runs."""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from tasks.dispatch.inbox import InboxTotals, handle_notes, handle_work_order, serve_inbox
from tasks.dispatch.run import open_dispatch
from tasks.rules.text import counted
from tasks.shared.connections import DEFAULT, shared_connections
from tasks.shared.run_forms import ConnectWiseName, FieldNationName, LedgerName, RulesName, titled
from tasks.shared.run_names import add_to_run_name, flow_run_name


@flow(name="dispatch-inbox", flow_run_name=flow_run_name, persist_result=False)
async def dispatch_inbox(
    run_seconds: Annotated[
        float, titled("Run for", "Seconds after which it ends; 0: until it is stopped.")
    ] = 0,
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
) -> InboxTotals:
    """Take messages of ConnectWise and Field Nation from the ledger's inbox and act on each record once.

    One long run, since starting a process for every message costs many seconds. It ends cleanly when it is
    cancelled or its process is told to stop; what it had taken is handed out again. Rules are read at its
    start: restart it after changing them.
    """
    async with shared_connections(ledger=ledger), open_dispatch(connectwise, field_nation, rules) as run:
        served = await serve_inbox(
            run, seconds=run_seconds or None, work_orders=handle_work_order, notes=handle_notes
        )
        await add_to_run_name(counted(served.messages, "message"))
        return served
