"""Puts back what a server reset though it was sent: the members that are not mapped (law 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.errors import ConnectorError
from connectors.ledger.models import WriteEntry, WriteOutcome
from tasks.progress import run_logger
from tasks.rules.journal_values import value_operations
from tasks.rules.plan import Modification
from tasks.rules.restoring import values_to_restore
from tasks.synchronization.patience import patiently
from tasks.synchronization.run import SyncRun


async def restore_members(
    run: SyncRun, modification: Modification, before: dict[str, Any], members: Sequence[str]
) -> None:
    """One PATCH that sets the members to what they were; a refusal is noted, with what to mend by hand."""
    record_id = modification.configuration.id
    values = values_to_restore(before, members)
    # Before the run is what they hold after this write: an undo of the run must not reset them again.
    entry = WriteEntry(
        "modify",
        "configuration",
        record_id,
        modification.asset.key,
        modification.name,
        values,
        values,
    )
    (write_id,) = await run.ledger.begin_writes(run.run_id, run.connectwise, run.company.id, [entry])
    try:
        await patiently(
            lambda: run.client.patch_configuration(record_id, value_operations(values)),
            run.settings.waiting,
        )
        await run.ledger.settle_writes([WriteOutcome(write_id, "done", record_id, "restored")])
        run_logger().warning("%s: restored %s", modification.name, ", ".join(members))
    except ConnectorError as error:
        note = f"{modification.name} ({record_id}): {', '.join(members)} could not be put back: {error}"
        run.notes.append(note)
        run_logger().error("%s", note)
        await run.ledger.settle_writes([WriteOutcome(write_id, "failed", record_id, str(error))])
