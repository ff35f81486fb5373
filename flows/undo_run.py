"""Undoes a run: puts back what it changed and deletes what it created, where nobody touched it since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from tasks.asset_sync.undo import ConfigurationUndo
from tasks.enrichment.undo import TextUndo, journalled_connection, text_undo
from tasks.rules.enrichment.undo import wrote_assets
from tasks.rules.forecast import forecast_lines, used_lines
from tasks.rules.modes import plans_only
from tasks.rules.report import failures_name
from tasks.rules.stored_plans.drift import DriftRule
from tasks.rules.stored_plans.summary import kinds_section
from tasks.rules.undo import undo_markdown
from tasks.rules.undo_entries import tally_of_undo
from tasks.shared.connections import (
    DEFAULT,
    connectwise_client,
    lansweeper_client,
    open_ledger,
    run_seconds,
    shared_connections,
)
from tasks.shared.lease import LeaseHeldError
from tasks.shared.results import NAMED, cancelled_state, finished_state
from tasks.shared.retry import Waiting
from tasks.shared.run_forms import ConnectWiseName, EarlierDryRun, LedgerName, Mode, titled
from tasks.shared.run_names import flow_run_name
from tasks.shared.stored_plans import note_applied, note_begun, refuse_drifted
from tasks.shared.undo_plans import UndoRun, find_undo_plan, keep_undo_plan, only_stored_steps

UNDO_KEY = "undo-run-plan"
WAITING = Waiting()


@flow(name="undo-run", flow_run_name=flow_run_name, persist_result=False)
async def undo_run(
    run_id: Annotated[
        str,
        titled("Run id", "Id of the flow run to undo, as its report shows it; empty with a plan to apply."),
    ] = "",
    mode: Mode = None,
    connectwise: ConnectWiseName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    waiting: Annotated[Waiting, titled("Waiting", "How long to wait for what passes by itself.")] = WAITING,
    lansweeper: Annotated[
        str,
        titled("Lansweeper", "Connection for assets; empty for the one that the run wrote through."),
    ] = "",
    plan: Annotated[
        str, titled("Plan to apply", "Id of a stored plan of an undo: only its steps are written.")
    ] = "",
    drift: Annotated[
        DriftRule,
        titled("Drift", "Where steps of the plan changed: refuse writes nothing, rest writes the others."),
    ] = DriftRule.REFUSE,
    plan_days: Annotated[int, titled("Days that plans are kept", "So long the plan can be applied.")] = 30,
    dry_run: EarlierDryRun = None,
) -> Any:
    """Plan the reverse of a run from the journal of writes and, if asked, carry it out.

    A field that was changed since the run is refused and left as it is; a configuration that the run created
    is deleted only if nothing was changed in it or added to it. Reference records that the run created stay.
    Of a run of tickets-agreements-sla-sync the earlier texts of the assets' custom fields go back. The plan's
    id is what to type under Plan to apply to write exactly what it shows.
    """
    planned = plans_only(mode, dry_run)
    async with (
        shared_connections(read_only=planned, ledger=ledger),
        connectwise_client(connectwise) as client,
        open_ledger() as database,
    ):
        run_id, stored = await find_undo_plan(database, run_id, plan)
        run = UndoRun(database, run_id, {"connectwise": connectwise}, drift, plan_days, stored)
        writes = await database.journal.of_run(run_id)
        if not wrote_assets(writes):
            undo = ConfigurationUndo(run_id, connectwise, client, database, waiting)
            return await carry_out(undo, run, planned, waiting.lease_seconds)
        run.connections["lansweeper"] = name = lansweeper.strip() or journalled_connection(writes)
        async with lansweeper_client(name) as assets:
            texts = await text_undo(
                writes, connectwise, name, client=client, assets=assets, ledger=database, waiting=waiting
            )
            return await carry_out(texts, run, planned, waiting.lease_seconds)


async def carry_out(undo: ConfigurationUndo | TextUndo, run: UndoRun, dry_run: bool, wait: float) -> Any:
    """Show the plan and, if asked, write it; a step that fails leaves the others.

    The plan is made again under the lease. What was done of it replaces it in the artifact.
    """
    system = undo.session.system
    await undo.prepare()
    if dry_run:
        drifted = await only_stored_steps(run, undo)
        forecast = await undo.forecast(again=True)
        await keep_undo_plan(run, undo, forecast)
        await show(undo, run, dry_run=True, figures=forecast_lines(forecast, [system]), drifted=drifted)
        return undo.plan.counts()
    try:
        async with undo.lease(wait):
            await undo.prepare()
            drifted = await only_stored_steps(run, undo)
            forecast = await undo.forecast()
            await keep_undo_plan(run, undo, forecast)
            await show(undo, run, dry_run=False, figures=forecast_lines(forecast, [system]), drifted=drifted)
            refuse_drifted(drifted)
            await note_begun(run)
            failed = await undo.apply()
            await note_applied(run, failed=bool(failed))
            used = used_lines(forecast, system, undo.session.requests, run_seconds())
            await show(undo, run, dry_run=False, failed=failed, figures=used)
            return finished_state(failures_name(len(failed)), failed[:NAMED], undo.plan.counts())
    except LeaseHeldError as error:
        return cancelled_state(error)


async def show(
    undo: ConfigurationUndo | TextUndo,
    run: UndoRun,
    *,
    dry_run: bool,
    figures: Sequence[str],
    failed: Sequence[str] = (),
    drifted: Sequence[str] = (),
) -> None:
    """Show the plan of the undo, or what was done of it, as an artifact."""
    text = undo_markdown(
        undo.plan,
        title=f"Undo of run {run.undone}",
        dry_run=dry_run,
        link=undo.address,
        failed=failed,
        figures=[*figures, *run.notes],
        plan_id=run.plan_id,
        kinds=kinds_section(tally_of_undo(undo.plan), run.plan_id),
        drifted=drifted,
    )
    description = f"What the undo of {run.undone} writes."
    await acreate_markdown_artifact(text, key=UNDO_KEY, description=description)
