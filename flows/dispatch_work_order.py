"""Reconciles one ConnectWise ticket or opportunity with its Field Nation work order."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from prefect import flow

from tasks.dispatch.reconcile import preview_record, retry_dispatch
from tasks.dispatch.records import Override
from tasks.dispatch.report import log_result, publish_preview, publish_results, single_state
from tasks.dispatch.run import open_dispatch
from tasks.rules.dispatch.reference import RecordKind
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

Kind = Literal["service", "project", "opportunity"]
RecordNumber = Annotated[int, titled("Record", "Number of the ticket or opportunity.")]
RecordKindName = Annotated[
    Kind, titled("Kind", "service or project for a ticket, or opportunity; numbers alone do not tell.")
]


@flow(name="dispatch-work-order", flow_run_name=flow_run_name, persist_result=False)
async def dispatch_work_order(
    record_id: RecordNumber,
    record_kind: RecordKindName = "service",
    mode: Mode = None,
    outside_trigger: Annotated[
        bool, titled("Outside of triggers too", "Make a work order though the record is in no trigger.")
    ] = False,
    again: Annotated[
        bool,
        titled("Again", "A creation without answer made nothing in Field Nation: make it once more now."),
    ] = False,
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    dry_run: EarlierDryRun = None,
) -> Any:
    """Fetch one record, look at its triggers, map it, and create or update its work order.

    A dry run, the default, shows what would be done. Several runs for one record at once are harmless: it
    gets one living work order.
    """
    planned = plans_only(mode, dry_run)
    kind, number = RecordKind(record_kind), check_positive("Record", record_id)
    override = Override(outside_trigger, retry_creation=again)
    async with (
        shared_connections(read_only=planned, ledger=ledger),
        # A person asks for this one record.
        open_dispatch(connectwise, field_nation, rules, accept_cancellations=1) as run,
    ):
        if planned:
            preview = await preview_record(run, kind, number, override=override)
            await publish_preview(run, preview)
            return preview
        result = await retry_dispatch(run, kind, number, override)
        log_result(result)
        await publish_results(run, f"Dispatch of {result.subject}", [result])
    return single_state(result)
