"""Modifies the planned configurations: each batch is read again, laid over, written, joined to its outcomes.

The first bulk batch of a run is a canary: it is read once more, and if a member that was not mapped
changed, what the server reset is put back, bulk stops, and the run goes on with PATCH.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from connectors.connectwise.conditions import any_of
from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.ledger.models import WriteEntry, WriteOutcome
from tasks.connectwise.bulk_modify_configurations import bulk_modify_configurations
from tasks.progress import Progress, run_logger
from tasks.rules.batching import ItemOutcome, batches
from tasks.rules.canary import unmapped_changes
from tasks.rules.deciding import Redecision, redecide
from tasks.rules.journal_values import journal_values
from tasks.rules.payloads import overlay, patch_operations
from tasks.rules.plan import Modification
from tasks.rules.predictions import WriteMode
from tasks.rules.records import FieldChange
from tasks.synchronization.creating import BULK_REFUSED
from tasks.synchronization.restoring import restore_members
from tasks.synchronization.run import SyncRun, WriteResult

Record = dict[str, Any]
TRIES = 3
"""How often a batch without an answer is read again, decided again and sent again."""

LONGEST_PAUSE_SECONDS = 60.0

send_once = bulk_modify_configurations.with_options(retries=0)
"""A batch is never sent twice as it is: what a person wrote in between would be overwritten."""


@dataclass(frozen=True)
class Ready:
    """One modification as it is written now: the record as just read, and with the changes laid over."""

    modification: Modification
    fresh: Record
    changes: list[FieldChange]
    record: Record


async def modify_configurations(
    run: SyncRun, modifications: Sequence[Modification]
) -> dict[str, WriteResult]:
    """Write the changed fields of each modification; the results are by asset key, one for each."""
    return await Modifying(run, len(modifications)).modify(modifications)


class Modifying:
    """The modifications of one run. ``bulk`` until the canary or the server says no."""

    def __init__(self, run: SyncRun, total: int) -> None:
        self.run = run
        self.results: dict[str, WriteResult] = {}
        self.progress = Progress("configurations modified", total)
        self.bulk = run.settings.write_mode is WriteMode.BULK
        self.canary_passed = False
        self.stopped: StopError | None = None

    async def modify(self, modifications: Sequence[Modification]) -> dict[str, WriteResult]:
        for batch in batches(modifications, self.run.settings.batch_size):
            await self._batch(batch)
            self.progress.advance(len(batch))
        return self.results

    async def _batch(self, batch: Sequence[Modification]) -> None:
        """Read the batch again and write it; without an answer begin anew, a few times."""
        if self.stopped is not None:
            return self._fail(batch, f"Not sent: {self.stopped}")
        for attempt in range(1, TRIES + 1):
            try:
                return await self._read_and_write(batch)
            except RetryableError as error:
                if attempt == TRIES:
                    return self._fail(batch, str(error))
                run_logger().warning("Reading the batch again, since it has no answer: %s", error)
                await anyio.sleep(min(error.retry_after or 2.0**attempt, LONGEST_PAUSE_SECONDS))
            except ConnectorError as error:
                self._note_stop(error)
                return self._fail(batch, str(error))
        return None

    async def _read_and_write(self, batch: Sequence[Modification]) -> None:
        ready = self._ready(batch, await self._read_again(batch))
        if ready:
            await (self._write_bulk(ready) if self.bulk else self._write_singly(ready))

    async def _read_again(self, batch: Sequence[Modification]) -> dict[int, Record]:
        """The batch's records as they are now, whole, with one request."""
        ids = [each.configuration.id for each in batch]
        condition = any_of("id", ids)
        records = await self.run.client.list_configurations(conditions=condition, page=1, page_size=len(ids))
        return {int(record["id"]): record for record in records}

    def _ready(self, batch: Sequence[Modification], records: dict[int, Record]) -> list[Ready]:
        """What is left to write; a record that needs nothing any more, or must not be written, is settled."""
        ready = []
        for each in batch:
            fresh = records.get(each.configuration.id)
            decided = self._decide(each, fresh)
            if decided.refused:
                self._fail([each], decided.refused)
            elif not decided.changes:
                self._keep(each)
            elif fresh is not None:
                record = overlay(fresh, decided.changes, self.run.mapping, self.run.references)
                ready.append(Ready(each, fresh, decided.changes, record))
        return ready

    def _decide(self, each: Modification, fresh: Record | None) -> Redecision:
        decided = redecide(
            each.asset,
            each.changes,
            fresh,
            self.run.mapping,
            self.run.references,
            company_id=self.run.company.id,
            reactivate=self.run.settings.reactivate,
        )
        if decided.moved:
            run_logger().info("%s: changed since it was planned: %s", each.name, ", ".join(decided.moved))
        return decided

    async def _write_bulk(self, ready: list[Ready]) -> None:
        write_ids = await self._journal(ready)
        try:
            outcomes = await self._put(ready)
        except ConnectorError as error:
            await self._settle(write_ids, _all(ready, None, str(error)))
            raise
        if outcomes is None:
            await self._settle(write_ids, _all(ready, False, "The server refuses bulk modification."))
            return await self._write_singly(ready)
        await self._settle(write_ids, outcomes)
        self._take(ready, outcomes)
        if not self.canary_passed and any(outcome.ok for outcome in outcomes):
            await self._check_canary(ready)
        return None

    async def _put(self, ready: list[Ready]) -> list[ItemOutcome] | None:
        """Outcomes in the order sent; None when the bulk endpoint is refused."""
        try:
            return await send_once(self.run.connectwise, [each.record for each in ready])
        except RejectedError as error:
            if error.status in BULK_REFUSED:
                run_logger().warning("The server refuses bulk modification; going on with PATCH. %s", error)
                self.run.notes.append("The server refuses bulk modification; the run went on with PATCH.")
                self.bulk = False
                return None
            return _all(ready, False, str(error))

    async def _check_canary(self, ready: list[Ready]) -> None:
        """Whether the server changed what it was not told to: if so, put it back and go on with PATCH."""
        after = await self._read_again([each.modification for each in ready])
        damaged = [
            (each, members)
            for each in ready
            if (record := after.get(each.modification.configuration.id)) is not None
            and (members := unmapped_changes(each.fresh, record, each.changes))
        ]
        self.canary_passed = not damaged
        if damaged:
            self.bulk = False
            names = ", ".join(sorted({member for _, members in damaged for member in members}))
            note = (
                f"Bulk modification changed fields that are not mapped ({names}); the run went on with PATCH."
            )
            self.run.notes.append(note)
            run_logger().warning("%s", note)
            for each, members in damaged:
                await restore_members(self.run, each.modification, each.fresh, members)

    async def _write_singly(self, ready: list[Ready]) -> None:
        for each in ready:
            if self.stopped is not None:
                self._fail([each.modification], f"Not sent: {self.stopped}")
                continue
            write_ids = await self._journal([each])
            outcome = await self._patch(each)
            await self._settle(write_ids, [outcome])
            self._take([each], [outcome])

    async def _patch(self, each: Ready) -> ItemOutcome:
        current = self.run.mapping.read_configuration(each.fresh)
        operations = patch_operations(each.changes, current, self.run.mapping, self.run.references)
        try:
            await self.run.client.patch_configuration(each.modification.configuration.id, operations)
            return ItemOutcome(0, True, each.modification.configuration.id)
        except RejectedError as error:
            return ItemOutcome(0, False, message=_with_unsent_fields(error, each.changes))
        except ConnectorError as error:
            self._note_stop(error)
            return ItemOutcome(0, None, message=str(error))

    async def _journal(self, ready: Sequence[Ready]) -> list[int]:
        entries = [
            WriteEntry(
                "modify",
                "configuration",
                each.modification.configuration.id,
                each.modification.asset.key,
                each.modification.name,
                journal_values(each.fresh, each.changes, self.run.mapping),
                journal_values(each.record, each.changes, self.run.mapping),
            )
            for each in ready
        ]
        run = self.run
        return await run.ledger.begin_writes(run.run_id, run.connectwise, run.company.id, entries)

    async def _settle(self, write_ids: list[int], outcomes: Sequence[ItemOutcome]) -> None:
        await self.run.ledger.settle_writes(journal_outcomes(write_ids, outcomes))

    def _take(self, ready: Sequence[Ready], outcomes: Sequence[ItemOutcome]) -> None:
        for each, outcome in zip(ready, outcomes, strict=True):
            key = each.modification.asset.key
            message = outcome.message if outcome.ok is not None else f"No answer: {outcome.message}"
            record_id = each.modification.configuration.id
            self.results[key] = WriteResult(key, bool(outcome.ok), record_id, message)

    def _keep(self, each: Modification) -> None:
        """The re-read showed that nothing is left to write."""
        key = each.asset.key
        self.results[key] = WriteResult(key, True, each.configuration.id, "already as wanted", written=False)

    def _fail(self, modifications: Sequence[Modification], message: str) -> None:
        for each in modifications:
            self.results[each.asset.key] = WriteResult(
                each.asset.key, False, each.configuration.id, message, written=False
            )

    def _note_stop(self, error: ConnectorError) -> None:
        if isinstance(error, StopError):
            self.stopped = error


def journal_outcomes(write_ids: Sequence[int], outcomes: Sequence[ItemOutcome]) -> list[WriteOutcome]:
    """The outcomes of a request as the journal keeps them."""
    words: dict[bool | None, Any] = {True: "done", False: "failed", None: "unclear"}
    return [
        WriteOutcome(write_id, words[outcome.ok], outcome.record_id, outcome.message or None)
        for write_id, outcome in zip(write_ids, outcomes, strict=True)
    ]


def _all(ready: Sequence[Ready], ok: bool | None, message: str) -> list[ItemOutcome]:
    return [ItemOutcome(index, ok, message=message) for index in range(len(ready))]


def _with_unsent_fields(error: RejectedError, changes: Sequence[FieldChange]) -> str:
    """The refusal in words; ConnectWise checks the whole record, so it may name a field that was not sent."""
    sent = {change.field.partition(".")[0].lower() for change in changes} | {"customfields"}
    unsent = sorted(
        {detail.field for detail in error.details if detail.field and _member(detail.field) not in sent}
    )
    if not unsent:
        return str(error)
    named = ", ".join(unsent)
    return f"{error} ConnectWise refuses the record for {named}, which this run did not send: mend it there."


def _member(field: str) -> str:
    return field.partition("/")[0].partition(".")[0].lower()
