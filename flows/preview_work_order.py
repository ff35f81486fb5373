"""Shows the work order that one ticket or opportunity would become, and writes nothing."""

from __future__ import annotations

from dataclasses import replace

from prefect import flow

from flows.dispatch_work_order import RecordKindName, RecordNumber
from tasks.dispatch.reconcile import Preview, preview_record
from tasks.dispatch.report import publish_preview
from tasks.dispatch.rule_names import rule_name_problems
from tasks.dispatch.run import open_dispatch
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.limits import check_positive
from tasks.shared.connections import DEFAULT, shared_connections
from tasks.shared.run_forms import ConnectWiseName, FieldNationName, LedgerName, RulesName
from tasks.shared.run_names import flow_run_name


@flow(name="preview-work-order", flow_run_name=flow_run_name, persist_result=False)
async def preview_work_order(
    record_id: RecordNumber,
    record_kind: RecordKindName = "service",
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
) -> Preview:
    """Show what the rules make of one record: the step, the work order's fields, and all that is missing."""
    kind, number = RecordKind(record_kind), check_positive("Record", record_id)
    async with (
        shared_connections(read_only=True, ledger=ledger),
        open_dispatch(connectwise, field_nation, rules) as run,
    ):
        preview = await preview_record(run, kind, number)
        preview = replace(preview, rule_problems=tuple(await rule_name_problems(run)))
        await publish_preview(run, preview)
    return preview
