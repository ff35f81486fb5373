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
from tasks.rules.report import failures_name
from tasks.rules.undo import undo_markdown
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
from tasks.shared.run_forms import ConnectWiseName, DryRun, LedgerName, titled
from tasks.shared.run_names import flow_run_name

UNDO_KEY = "undo-run-plan"
WAITING = Waiting()


@flow(name="undo-run", flow_run_name=flow_run_name, persist_result=False)
async def undo_run(
    run_id: Annotated[str, titled("Run id", "Id of the flow run to undo, as its report shows it.")],
    dry_run: DryRun = True,
    connectwise: ConnectWiseName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    waiting: Annotated[Waiting, titled("Waiting", "How long to wait for what passes by itself.")] = WAITING,
    lansweeper: Annotated[
        str,
        titled("Lansweeper", "Connection for assets; empty for the one that the run wrote through."),
    ] = "",
) -> Any:
    """Plan the reverse of a run from the journal of writes and, if asked, carry it out.

    A field that was changed since the run is refused and left as it is; a configuration that the run created
    is deleted only if nothing was changed in it or added to it. Reference records that the run created stay.
    Of a run of tickets-agreements-sla-sync the earlier texts of the assets' custom fields go back.
    """
    run_id = run_id.strip()
    async with (
        shared_connections(read_only=dry_run, ledger=ledger),
        connectwise_client(connectwise) as client,
        open_ledger() as database,
    ):
        writes = await database.journal.of_run(run_id)
        if not wrote_assets(writes):
            undo = ConfigurationUndo(run_id, connectwise, client, database, waiting)
            return await carry_out(undo, run_id, dry_run, waiting.lease_seconds)
        name = lansweeper.strip() or journalled_connection(writes)
        async with lansweeper_client(name) as assets:
            texts = await text_undo(
                writes, connectwise, name, client=client, assets=assets, ledger=database, waiting=waiting
            )
            return await carry_out(texts, run_id, dry_run, waiting.lease_seconds)


async def carry_out(undo: ConfigurationUndo | TextUndo, run_id: str, dry_run: bool, wait: float) -> Any:
    """Show the plan and, if asked, write it; a step that fails leaves the others.

    The plan is made again under the lease. What was done of it replaces it in the artifact.
    """
    system = undo.session.system
    await undo.prepare()
    if dry_run:
        forecast = await undo.forecast(again=True)
        await show(undo, run_id, dry_run=True, figures=forecast_lines(forecast, [system]))
        return undo.plan.counts()
    try:
        async with undo.lease(wait):
            await undo.prepare()
            forecast = await undo.forecast()
            await show(undo, run_id, dry_run=False, figures=forecast_lines(forecast, [system]))
            failed = await undo.apply()
            used = used_lines(forecast, system, undo.session.requests, run_seconds())
            await show(undo, run_id, dry_run=False, failed=failed, figures=used)
            return finished_state(failures_name(len(failed)), failed[:NAMED], undo.plan.counts())
    except LeaseHeldError as error:
        return cancelled_state(error)


async def show(
    undo: ConfigurationUndo | TextUndo,
    run_id: str,
    *,
    dry_run: bool,
    figures: Sequence[str],
    failed: Sequence[str] = (),
) -> None:
    """Show the plan of the undo, or what was done of it, as an artifact."""
    text = undo_markdown(
        undo.plan,
        title=f"Undo of run {run_id}",
        dry_run=dry_run,
        link=undo.address,
        failed=failed,
        figures=figures,
    )
    await acreate_markdown_artifact(text, key=UNDO_KEY, description=f"What the undo of {run_id} writes.")
