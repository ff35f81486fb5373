"""Undoes a run: puts back what it changed and deletes what it created, where nobody touched it since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.states import Cancelled, Failed

from tasks.connections import DEFAULT, connectwise_client, open_ledger, shared_connections
from tasks.rules.markdown import escape, section
from tasks.rules.report_text import undo_markdown
from tasks.rules.wording import counted
from tasks.synchronization.lease import LeaseHeldError, writing_lease
from tasks.synchronization.putting_back import apply_undo
from tasks.synchronization.settings import Waiting
from tasks.synchronization.undoing import Undo

UNDO_KEY = "undo-run-plan"
WAITING = Waiting()


@flow(name="undo-run", persist_result=False)
async def undo_run(
    run_id: str,
    dry_run: bool = True,
    connectwise: str = DEFAULT,
    ledger: str = DEFAULT,
    waiting: Waiting = WAITING,
) -> Any:
    """Plan the reverse of a run from the journal of writes and, if asked, carry it out.

    A field that was changed since the run is refused and left as it is; a configuration that the run created
    is deleted only if nothing was changed in it or added to it. Reference records that the run created stay.

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
    if failed:
        text += section("Failed", "\n".join(f"- {escape(each)}" for each in failed))
    await acreate_markdown_artifact(text, key=UNDO_KEY, description=f"What the undo of {undo.run_id} writes.")
    return undo.counts()


async def carry_out(undo: Undo) -> Any:
    """Write the steps; a step that fails leaves the others. What was done replaces the plan shown before."""
    failed = await apply_undo(undo)
    counts = await show(undo, dry_run=False, failed=failed)
    if failed:
        return Failed(
            name=f"Finished with {counted(len(failed), 'failure')}",
            message="; ".join(failed[:5]),
            data=counts,
        )
    return counts
