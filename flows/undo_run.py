"""Undoes a run: puts back what it changed and deletes what it created, where nobody touched it since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.states import Cancelled

from connectors.ledger.models import JournalledWrite
from tasks.asset_sync.undo import Undo, apply_undo
from tasks.enrichment.undo import TextUndoing, journalled_connection, text_undoing
from tasks.rules.enrichment.plan import wrote_assets
from tasks.rules.text import escape, section
from tasks.rules.undo import undo_markdown
from tasks.shared.connections import (
    DEFAULT,
    connectwise_client,
    lansweeper_client,
    open_ledger,
    shared_connections,
)
from tasks.shared.lease import LANSWEEPER, LeaseHeldError, writing_lease
from tasks.shared.results import NAMED, failures_name, finished_state
from tasks.shared.retry import Waiting
from tasks.shared.run_forms import ConnectWiseName, DryRun, LedgerName, titled

UNDO_KEY = "undo-run-plan"
WAITING = Waiting()


@flow(name="undo-run", persist_result=False)
async def undo_run(
    run_id: Annotated[str, titled("Run id", "Id of the flow run to undo, as its report shows it.")],
    dry_run: DryRun = True,
    connectwise: ConnectWiseName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    waiting: Annotated[Waiting, titled("Waiting", "How long to wait for what passes by itself.")] = WAITING,
) -> Any:
    """Plan the reverse of a run from the journal of writes and, if asked, carry it out.

    A field that was changed since the run is refused and left as it is; a configuration that the run created
    is deleted only if nothing was changed in it or added to it. Reference records that the run created stay.
    Of a run of tickets-agreements-sla-sync the earlier texts of the assets' custom fields go back.

    Args:
        run_id: id of the flow run to undo, as its report and the Prefect UI show it.
        dry_run: show the plan and write nothing.
        connectwise: name of the ConnectWise PSA Connection block.
        ledger: name of the Integration Ledger block.
        waiting: how long to wait for the lease, and for what passes by itself.
    """
    async with (
        shared_connections(read_only=dry_run, ledger=ledger),
        connectwise_client(connectwise) as client,
        open_ledger() as database,
    ):
        writes = await database.journal.of_run(run_id.strip())
        if wrote_assets(writes):
            return await undo_texts(run_id.strip(), writes, dry_run, connectwise, waiting)
        undo = await Undo(run_id.strip(), connectwise, client, database, waiting).prepare()
        if dry_run:
            return await show(undo, dry_run=True)
        try:
            async with writing_lease(connectwise, undo.company_id, waiting.lease_seconds):
                await show(await undo.prepare(), dry_run=False)
                return await carry_out(undo)
        except LeaseHeldError as error:
            return Cancelled(message=str(error))


async def show(undo: Undo, *, dry_run: bool, failed: Sequence[str] = ()) -> dict[str, int]:
    """Publish the plan of the undo, or what was done of it; returns its counts."""
    text = undo_markdown(
        undo.plan,
        title=f"Undo of run {undo.run_id}",
        dry_run=dry_run,
        link=undo.client.settings.configuration_url,
    )
    await publish(undo.run_id, text, failed)
    return undo.counts()


async def carry_out(undo: Undo) -> Any:
    """Write the steps; a step that fails leaves the others. What was done replaces the plan shown before."""
    failed = await apply_undo(undo)
    return finished(await show(undo, dry_run=False, failed=failed), failed)


def finished(counts: dict[str, int], failed: Sequence[str]) -> Any:
    """The counts; steps that failed end the run as failed."""
    return finished_state(failures_name(len(failed)), failed[:NAMED], counts)


async def undo_texts(
    run_id: str, writes: Sequence[JournalledWrite], dry_run: bool, connectwise: str, waiting: Waiting
) -> Any:
    """Put the earlier texts of Lansweeper assets back, through the connection that the run wrote through."""
    lansweeper = journalled_connection(writes)
    async with (
        connectwise_client(connectwise) as client,
        lansweeper_client(lansweeper) as assets,
        open_ledger() as ledger,
    ):
        undoing = await text_undoing(
            writes, connectwise=connectwise, client=client, assets=assets, ledger=ledger, waiting=waiting
        )
        if dry_run:
            return await show_texts(run_id, undoing, dry_run=True)
        company = undoing.run.company.id
        try:
            async with writing_lease(lansweeper, company, waiting.lease_seconds, system=LANSWEEPER):
                await undoing.prepare()
                await show_texts(run_id, undoing, dry_run=False)
                failed = await undoing.apply()
                return finished(await show_texts(run_id, undoing, dry_run=False, failed=failed), failed)
        except LeaseHeldError as error:
            return Cancelled(message=str(error))


async def show_texts(
    run_id: str, undoing: TextUndoing, *, dry_run: bool, failed: Sequence[str] = ()
) -> dict[str, int]:
    """As ``show``, for assets."""
    text = undo_markdown(
        undoing.plan.shown(), title=f"Undo of run {run_id}", dry_run=dry_run, link=undoing.asset_url
    )
    await publish(run_id, text, failed)
    return undoing.counts()


async def publish(run_id: str, text: str, failed: Sequence[str]) -> None:
    """Show the plan as an artifact, with what failed."""
    if failed:
        text += section("Failed", "\n".join(f"- {escape(each)}" for each in failed))
    await acreate_markdown_artifact(text, key=UNDO_KEY, description=f"What the undo of {run_id} writes.")
