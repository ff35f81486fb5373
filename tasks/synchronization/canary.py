"""The first bulk batch of a run that is written is a canary: does the server change what it was not told to?

If so, what it reset is put back, bulk stops, and the run goes on with PATCH.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import ConnectorError
from tasks.progress import run_logger
from tasks.rules.canary import unmapped_changes
from tasks.synchronization.restoring import restore_members
from tasks.synchronization.run import Ready, Record, SyncRun


class Canary:
    """``passed`` once a written batch was read again and nothing in it had moved that was not meant to."""

    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self.passed = False

    async def check(self, written: Sequence[Ready], after: Mapping[int, Record]) -> bool:
        """Whether bulk may go on; if not, what the server reset is put back and the report says so."""
        found = [
            (each, after[each.modification.configuration.id])
            for each in written
            if each.modification.configuration.id in after
        ]
        writer = _writer([record for _, record in found])
        damaged = [
            (each, members)
            for each, record in found
            if _updated_by(record) == writer
            and (members := unmapped_changes(each.fresh, record, each.changes))
        ]
        self.passed = not damaged
        if damaged:
            names = ", ".join(sorted({member for _, members in damaged for member in members}))
            self._note(
                f"Bulk modification changed fields that are not mapped ({names}); the run went on with PATCH."
            )
            for each, members in damaged:
                await restore_members(self.run, each.modification, each.fresh, members)
        return self.passed

    def not_readable(self, written: Sequence[Ready], error: ConnectorError) -> None:
        """Say which records nobody has looked at after the first bulk modification."""
        ids = ", ".join(str(each.modification.configuration.id) for each in written)
        self._note(
            "The first bulk modification could not be read again, so whether it left the fields that are not "
            f"mapped alone is not known (configurations {ids}); the run went on with PATCH. {error}"
        )

    def _note(self, text: str) -> None:
        self.run.notes.append(text)
        run_logger().warning("%s", text)


def _writer(records: Sequence[Record]) -> Any:
    """Who wrote the batch: whoever was the last to update most of it.

    What a person changed since is no damage, and putting it back would overwrite that person's work.
    """
    return next(iter(Counter(map(_updated_by, records)).most_common(1)), (None, 0))[0]


def _updated_by(record: Record) -> Any:
    return (record.get("_info") or {}).get("updatedBy")
