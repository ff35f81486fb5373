"""Canary: bulk batches that are read again once written. Does the server change what it was not told to?

The first batch is one, and so is each later one with a value in a member that no batch has shown yet to be
left alone: mostly none, since the first batch has a value in nearly every member that is in use.

If so, what it reset is put back (docs/spec.md, law 4), bulk stops, and the run goes on with PATCH. What a
person changed since is no damage, and putting it back would overwrite that person's work: only what the
integration member wrote last is put back. Where that can't be told nothing is put back, the report says so,
and bulk stops.

The integration member is the one under which this run writes, as ConnectWise names it in
``_info.updatedBy``. ConnectWise documents no request that tells it, and the answer of a bulk PUT names
nobody. The answer of a PATCH is the record as that PATCH left it, so it names who sent it, whoever edits
the record before or after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.errors import ConnectorError
from connectors.ledger.models import WriteEntry
from tasks.asset_sync.run import Ready, Record, SyncRun
from tasks.connectwise.bulk_modify_configurations import patch_record
from tasks.rules.asset_sync.plan import Modification
from tasks.rules.asset_sync.undo import (
    journal_values,
    members_with_value,
    unmapped_changes,
    value_operations,
    values_to_restore,
)
from tasks.shared.journalled import unclear_or_failed
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry


@dataclass(frozen=True)
class _Seen:
    """A record that was written and read again; ``moved``: its members that differ and are not mapped."""

    ready: Ready
    record: Record
    moved: list[str]


class Canary:
    """``passed`` once a written batch was read again and nothing in it had moved that was not meant to.

    ``left_alone``: the members whose values were seen to outlast a bulk modification.
    """

    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self.passed = False
        self.left_alone: set[str] = set()

    def must_see(self, written: Sequence[Ready]) -> bool:
        """Whether these records have to be read again: one of them has a value that nothing is known of."""
        return not self.passed or any(members_with_value(each.fresh) - self.left_alone for each in written)

    async def check(self, written: Sequence[Ready], after: Mapping[int, Record]) -> bool:
        """Whether bulk may go on; if not, what the server reset is put back and the report says so."""
        seen = _seen(written, after)
        moved = [each for each in seen if each.moved]
        kept = [each for each in seen if not each.moved and self._shows_changes(each)]
        self.left_alone |= {name for each in kept for name in members_with_value(each.ready.fresh)}
        if not moved:
            # Where no record could be read as written, nobody has seen yet what the server leaves alone.
            self.passed |= bool(kept)
            return True
        likely = sorted(seen, key=lambda each: bool(each.moved))
        own = await integration_member(self.run, [(each.ready, each.record) for each in likely])
        if own is None or any(updated_by(each.record) is None for each in moved):
            self._note(_undecided(moved))
            return False
        damaged = [each for each in moved if updated_by(each.record) == own]
        edited = [each for each in moved if updated_by(each.record) != own]
        # A person's edit hides who wrote before: what the server reset in the same record looks like that
        # person's.
        doubtful = [each for each in edited if not self.left_alone.issuperset(each.moved)]
        self.passed |= bool(kept) and not damaged and not doubtful
        if damaged:
            await self._mend(damaged, edited)
        elif doubtful:
            hidden = "so whether ConnectWise reset fields of them too can't be told, and"
            self._note(_edited_since(doubtful, f"a bulk modification, {hidden}"))
        return not damaged

    def _shows_changes(self, each: _Seen) -> bool:
        """Whether a written value is there: an answer from before the write tells nothing of it."""
        before, now = (
            journal_values(record, each.ready.changes, self.run.mapping)
            for record in (each.ready.fresh, each.record)
        )
        return now != before

    def not_readable(self, written: Sequence[Ready], error: ConnectorError) -> None:
        """Say which records nobody has looked at after their bulk modification."""
        ids = ", ".join(str(each.modification.configuration.id) for each in written)
        self._note(
            "A bulk modification could not be read again, so whether it left the fields that are not "
            f"mapped alone is not known (configurations {ids}); the run went on with PATCH. {error}"
        )

    async def _mend(self, damaged: Sequence[_Seen], edited: Sequence[_Seen]) -> None:
        self._note(
            f"Bulk modification changed fields that are not mapped ({_names(damaged)}); "
            "the run went on with PATCH."
        )
        if edited:
            self._note(_edited_since(edited, "that, so"))
        for each in damaged:
            await self._put_back(each)

    async def _put_back(self, each: _Seen) -> None:
        """Put back what is still as the server left it: somebody may have typed since it was read."""
        record_id = each.ready.modification.configuration.id
        try:
            now = await retry(
                lambda: self.run.client.configurations.get(record_id), self.run.settings.waiting
            )
        except ConnectorError as error:
            self._note(f"Configuration {record_id}: {', '.join(each.moved)} could not be put back: {error}")
            return
        typed = unmapped_changes(each.record, now, each.ready.changes)
        members = [member for member in each.moved if member not in typed]
        if members:
            await restore_members(self.run, each.ready.modification, each.ready.fresh, members)

    def _note(self, text: str) -> None:
        self.run.notes.append(text)
        run_logger().warning("%s", text)


def _seen(written: Sequence[Ready], after: Mapping[int, Record]) -> list[_Seen]:
    found = [(each, after.get(each.modification.configuration.id)) for each in written]
    return [
        _Seen(each, record, unmapped_changes(each.fresh, record, each.changes))
        for each, record in found
        if record is not None
    ]


def _edited_since(edited: Sequence[_Seen], since: str) -> str:
    return (
        f"Somebody else changed configurations {_ids(edited)} right after {since} they were left as they "
        f"are: see whether these fields are right ({_names(edited)})."
    )


def _undecided(moved: Sequence[_Seen]) -> str:
    return (
        f"After a bulk modification fields that are not mapped were changed ({_names(moved)}) in "
        f"configurations {_ids(moved)}. Whether ConnectWise reset them or somebody edited them can't be "
        "told, so nothing was put back: see whether they are right. The run went on with PATCH."
    )


def _names(seen: Iterable[_Seen]) -> str:
    return ", ".join(sorted({member for each in seen for member in each.moved}))


def _ids(seen: Iterable[_Seen]) -> str:
    return ", ".join(str(each.ready.modification.configuration.id) for each in seen)


async def integration_member(run: SyncRun, written: Sequence[tuple[Ready, Record]]) -> str | None:
    """The member of this run's writes; None if it can't be known for sure.

    ``written`` are records that this run wrote, as read since. The first one that is still as this run wants
    it is sent one PATCH with the mapped values that it has anyway. No task run of its own repeats
    it later: that could overwrite what somebody typed in between.
    """
    for ready, record in written:
        if _as_wanted(run, ready, record):
            return await _writer_of_a_patch(run, ready, record)
    return None


def updated_by(record: Record) -> str | None:
    """Who wrote the record last, None if it does not say."""
    return (record.get("_info") or {}).get("updatedBy") or None


def _as_wanted(run: SyncRun, ready: Ready, record: Record) -> bool:
    decided = run.decide_fresh(ready.modification, record)
    return not decided.refused and not decided.changes


async def _writer_of_a_patch(run: SyncRun, ready: Ready, record: Record) -> str | None:
    modification = ready.modification
    record_id = modification.configuration.id
    values = journal_values(record, ready.changes, run.mapping)
    async with run.journal.write(_entry(modification, values)) as write:
        try:
            answer = await patch_record(run.client, record_id, value_operations(values))
        except ConnectorError as error:
            run_logger().warning("Who writes for this run is not known: %s", error)
            write.end(unclear_or_failed(error), message=str(error))
            return None
        write.end(message="same values again")
    return updated_by(answer)


def _entry(each: Modification, values: dict[str, Any]) -> WriteEntry:
    """What is written is what was there before the run: an undo of the run must not reset it again."""
    return WriteEntry(
        "modify", "configuration", each.configuration.id, each.asset.key, each.name, values, values
    )


async def restore_members(
    run: SyncRun, modification: Modification, before: dict[str, Any], members: Sequence[str]
) -> None:
    """One PATCH that sets the members to what they were; a refusal is noted, with what to mend by hand."""
    record_id = modification.configuration.id
    values = values_to_restore(before, members)
    patch = partial(patch_record, run.client, record_id, value_operations(values))
    async with run.journal.write(_entry(modification, values)) as write:
        try:
            await retry(patch, run.settings.waiting)
        except ConnectorError as error:
            note = f"{modification.name} ({record_id}): {', '.join(members)} could not be put back: {error}"
            run.notes.append(note)
            run_logger().error("%s", note)
            write.end("failed", message=str(error))
            return
        write.end(message="restored")
    run_logger().warning("%s: restored %s", modification.name, ", ".join(members))
