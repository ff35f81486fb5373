"""Copies notes of tickets and messages of their work orders to the other side, each once."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from prefect import flow

from tasks.dispatch.notes import copy_notes, preview_copies
from tasks.dispatch.report import publish_results, sweep_state
from tasks.dispatch.run import DispatchRun, open_dispatch
from tasks.dispatch.sweep import sweep_notes
from tasks.dispatch.work_order_events import retry_outbound
from tasks.rules.dispatch.result import DispatchResult
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

ARTIFACT_KEY = "sync-notes"
TITLE = "Notes"


@flow(name="sync-notes", flow_run_name=flow_run_name, persist_result=False)
async def sync_notes(
    work_order_id: Annotated[
        int | None, titled("Work order", "Number of one work order; empty: all that are not over.")
    ] = None,
    mode: Mode = None,
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    dry_run: EarlierDryRun = None,
) -> Any:
    """Copy the notes of tickets and the messages of their work orders to the other side, each once.

    Internal notes stay internal, and copies are never copied back.
    """
    planned = plans_only(mode, dry_run)
    number = check_positive("Work order", work_order_id) if work_order_id is not None else None
    async with (
        shared_connections(read_only=planned, ledger=ledger),
        open_dispatch(connectwise, field_nation, rules) as run,
    ):
        results = await (sweep_notes(run, dry_run=planned) if number is None else _one(run, number, planned))
        await publish_results(run, TITLE, results, key=ARTIFACT_KEY, dry_run=planned)
    return sweep_state(results, results)


async def _one(run: DispatchRun, number: int, dry_run: bool) -> list[DispatchResult]:
    if dry_run:
        return [await preview_copies(run, number)]
    return [await retry_outbound(run, partial(copy_notes, run, number))]
