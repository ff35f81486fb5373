"""Modify the planned configurations: read a batch again, lay the changes over, write it, join its outcomes.

What has no answer is not taken for failed: the next read tells whether the server wrote it after all. The
first bulk batch that is known to be written is the canary (``canary.py``). Requests are sent by the action
Bulk Configuration Modification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.connectwise.conditions import any_of
from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.ledger.models import WriteEntry
from tasks.asset_sync.canary import Canary
from tasks.asset_sync.run import Ready, Record, SyncRun
from tasks.connectwise.bulk_create_configurations import BULK_REFUSED
from tasks.connectwise.bulk_modify_configurations import patch_record, replace_records
from tasks.rules.asset_sync.custom_values import is_partial, shows_less
from tasks.rules.asset_sync.decide import FreshDecision
from tasks.rules.asset_sync.payloads import overlay, patch_operations
from tasks.rules.asset_sync.plan import Modification
from tasks.rules.asset_sync.safety import WriteMode
from tasks.rules.asset_sync.undo import journal_values
from tasks.rules.bulk import SINGLY, ItemOutcome, SplitAllowance, batches, is_own_refusal, parts
from tasks.rules.quarantine import OF_ONE_RECORD, version_of
from tasks.rules.text import counted
from tasks.rules.values import FieldChange
from tasks.shared.action import Inventory
from tasks.shared.concurrency import send_batches
from tasks.shared.isolation import record_problem
from tasks.shared.journalled import OUTAGE, WriteLog, WriteResult, journal_outcomes, same_outcome
from tasks.shared.progress import Progress, run_logger
from tasks.shared.retry import Retries, retry

_FOUND = "found by reading again"


@dataclass(frozen=True)
class Sent:
    """A modification that was sent and has no known outcome; ``message`` says why it has none."""

    ready: Ready
    write_id: int
    bulk: bool
    message: str


async def modify_configurations(
    run: SyncRun, modifications: Sequence[Modification]
) -> dict[str, WriteResult]:
    """Write the changed fields of each modification; the results are by asset key, one for each."""
    return await ConfigurationModifications(run, len(modifications)).modify(modifications)


class ConfigurationModifications:
    """The modifications of one run, with their results in ``log``.

    Attributes:
        bulk: whether whole records are replaced; False once the canary or the server says no.
        hiding: configurations that went by PATCH, since they may have values that were not read.
        unanswered: by asset key what was sent and has no known outcome.
    """

    def __init__(self, run: SyncRun, total: int) -> None:
        self.run = run
        self.log = WriteLog(run.journal, Progress("configurations modified", total))
        self.bulk = run.settings.write_mode is WriteMode.BULK and not run.only_single
        self.canary = Canary(run)
        self.unanswered: dict[str, Sent] = {}
        self.allowance = SplitAllowance()
        self.hiding: set[int] = set()

    async def modify(self, modifications: Sequence[Modification]) -> dict[str, WriteResult]:
        """Send one batch at a time until the canary has passed, then a few at the same time."""
        size = self.run.settings.batch_size
        await send_batches(
            batches(modifications, size), self._send, alone=lambda: self.bulk and not self.canary.passed
        )
        if self.hiding:
            self.run.notes.append(
                f"{counted(len(self.hiding), 'configuration')} may have values that were not read: each was "
                "changed by PATCH, which leaves alone what it does not name, and not written whole."
            )
        return self.log.results

    async def _send(self, batch: Sequence[Modification]) -> None:
        await self._batch(batch)
        self.log.progress.advance(len(batch))

    async def _batch(self, batch: Sequence[Modification]) -> None:
        """Read the batch again and write it; what has no answer is read and decided anew, a few times.

        The last time one by one, since a single record may be what the server breaks on.
        """
        if self.log.stopped is not None:
            return self._fail(batch, f"Not sent: {self.log.stopped}")
        retries = Retries(self.run.settings.waiting)
        while rest := self._rest(batch):
            try:
                await self._read_and_write(rest, bulk=self.bulk and not retries.last_attempt)
            except RetryableError as error:
                if not await retries.wait(error):
                    return await self._give_up(batch, error)
            except ConnectorError as error:
                if isinstance(error, StopError):
                    self.log.stopped = error
                return self._fail(self._rest(batch), str(error))
        self.log.unanswered = 0
        return None

    def _rest(self, batch: Sequence[Modification]) -> list[Modification]:
        return [each for each in batch if each.asset.key not in self.log.results]

    async def _give_up(self, batch: Sequence[Modification], error: RetryableError) -> None:
        """Read a last time what was written after all, and stop the run where the server is away."""
        try:
            await self._ready(self._rest(batch), await self._read_again(self._rest(batch)))
        except ConnectorError as failed:
            run_logger().warning("The batch could not be read again: %s", failed)
        rest = self._rest(batch)
        self._fail(rest, str(error))
        self.log.unanswered = self.log.unanswered + 1 if len(rest) == len(batch) else 0
        if self.log.unanswered >= OUTAGE or error.retry_after is not None:
            self.log.stopped = StopError(str(error))

    async def _read_and_write(self, batch: Sequence[Modification], *, bulk: bool) -> None:
        ready = await self._ready(batch, await self._read_again(batch))
        if bulk and self.bulk and ready:
            whole: list[Ready] = []
            singly: list[Ready] = []
            for each in ready:
                (singly if self._may_hide(each) else whole).append(each)
            self.hiding |= {each.modification.configuration.id for each in singly}
            if whole:
                await self._write_bulk(whole)
            await self._write_singly(singly)
        else:
            await self._write_singly(ready)
        if self._rest(batch):
            raise RetryableError("The answer does not say what became of every record")

    def _may_hide(self, each: Ready) -> bool:
        """Whether the record may have values that were not read, now or for the plan."""
        planned = each.modification.configuration
        if planned.id in self.run.hiding or is_partial(each.fresh, self.run.mapping):
            return True
        return shows_less(self.run.values.shown.get(planned.id), planned, each.fresh, self.run.mapping)

    async def _read_again(self, batch: Sequence[Modification]) -> dict[int, Record]:
        """The batch's records as they are now, whole, with one request."""
        ids = [each.configuration.id for each in batch]
        condition = any_of("id", ids)
        records = await self.run.client.configurations.list(conditions=condition, page=1, page_size=len(ids))
        return {int(record["id"]): record for record in records}

    async def _ready(self, batch: Sequence[Modification], records: dict[int, Record]) -> list[Ready]:
        """What is left to write; a record that needs nothing or must not be written gets its result here."""
        ready, kept = [], []
        for each in batch:
            fresh = records.get(each.configuration.id)
            try:
                decided = self._decide(each, fresh)
                if decided.refused:
                    self._fail([each], decided.refused)
                elif not decided.changes:
                    kept.append(each)
                elif fresh is not None:
                    ready.append(self._made_ready(each, fresh, decided.changes))
            except Exception as error:
                # One record's values must not keep the others of its batch from being written.
                self._fail([each], f"It can't be decided what to write: {record_problem(error)}")
        await self._keep(kept, records)
        again = [sent for each in ready if (sent := self.unanswered.pop(each.modification.asset.key, None))]
        await self._record(
            [sent.write_id for sent in again], same_outcome(again, False, "read again: not written")
        )
        return ready

    def _made_ready(self, each: Modification, fresh: Record, changes: Sequence[FieldChange]) -> Ready:
        """All that is put and kept of it: what fails on its values fails here, beside its neighbours."""
        record = overlay(fresh, changes, self.run.mapping, self.run.references)
        entry = WriteEntry(
            "modify",
            "configuration",
            each.configuration.id,
            each.asset.key,
            each.name,
            journal_values(fresh, changes, self.run.mapping),
            journal_values(record, changes, self.run.mapping),
        )
        return Ready(each, fresh, tuple(changes), record, entry)

    def _decide(self, each: Modification, fresh: Record | None) -> FreshDecision:
        sent = self.unanswered.get(each.asset.key)
        if sent is not None and fresh is not None:
            now = self.run.mapping.read_configuration(fresh)
            self.run.bases.unclear(each.asset, now, sent.ready.changes)
        decided = self.run.decide_fresh(each, fresh)
        self.run.conflicts |= {(found.asset_key, found.field): found for found in decided.conflicts}
        if decided.moved:
            run_logger().info("%s: changed since it was planned: %s", each.name, ", ".join(decided.moved))
        return decided

    async def _write_bulk(self, ready: list[Ready]) -> None:
        write_ids = await self._journal(ready)
        try:
            outcomes = await self._put(ready)
        except RetryableError as error:
            await self._take(ready, write_ids, same_outcome(ready, None, str(error)), bulk=True)
            raise
        except ConnectorError as error:
            await self._take(ready, write_ids, same_outcome(ready, False, str(error)), bulk=True)
            raise
        if outcomes is None:
            await self._record(write_ids, same_outcome(ready, False, "The server refuses bulk modification."))
            return await self._write_singly(ready)
        if isinstance(outcomes, RejectedError):
            return await self._split(ready, write_ids, outcomes)
        await self._take(ready, write_ids, outcomes, bulk=True)
        written = [each for each, outcome in zip(ready, outcomes, strict=True) if outcome.ok]
        if written and self.canary.must_see(written):
            await self._check_canary(written)
        return None

    async def _split(self, ready: list[Ready], write_ids: list[int], error: RejectedError) -> None:
        """One record can have a whole request refused: write it in parts, until that record stands alone.

        Each part is read again, which also tells what the refused request has written all the same. A few
        records are read together and patched one by one: a patch sends what changes alone.
        """
        why = f"Refused together with others: {error}"
        singly = len(ready) <= SINGLY
        pieces = [ready] if singly else parts(ready)
        if not self.allowance.take(1 + len(ready) if singly else 2 * len(pieces)):
            why = f"{why} They were not tried alone, since too many were refused."
            return await self._take(ready, write_ids, same_outcome(ready, False, why), bulk=True)
        run_logger().warning("%d modifications were refused; going on in parts: %s", len(ready), error)
        await self._take(ready, write_ids, same_outcome(ready, None, why), bulk=True)
        for piece in pieces:
            await self._read_and_write([each.modification for each in piece], bulk=not singly)
        return None

    async def _put(self, ready: list[Ready]) -> list[ItemOutcome] | RejectedError | None:
        """Outcomes in the order sent, or the error that refuses them all; None: no bulk endpoint."""
        try:
            return await replace_records(self.run.client, Inventory([each.record for each in ready]))
        except RejectedError as error:
            if error.status in BULK_REFUSED:
                run_logger().warning("The server refuses bulk modification; going on with PATCH. %s", error)
                self.run.notes.append("The server refuses bulk modification; the run went on with PATCH.")
                self.bulk = False
                return None
            if len(ready) > 1 and error.status in OF_ONE_RECORD:
                return error
            return same_outcome(ready, False, _with_unsent_fields(error, ready[0].changes), error.status)

    async def _check_canary(self, written: list[Ready]) -> None:
        """Read what was written once more; if that can't be done, bulk is not trusted any further."""
        modifications = [each.modification for each in written]
        try:
            after = await retry(lambda: self._read_again(modifications), self.run.settings.waiting)
        except ConnectorError as error:
            self.bulk = False
            self.canary.not_readable(written, error)
            return
        self.bulk &= await self.canary.check(written, after)

    async def _write_singly(self, ready: list[Ready]) -> None:
        silent = 0
        for each in ready:
            write_ids = await self._journal([each])
            try:
                outcome = await self._patch(each)
            except RetryableError as error:
                await self._take([each], write_ids, same_outcome([each], None, str(error)), bulk=False)
                silent += 1
                if error.retry_after is not None or silent >= OUTAGE:
                    raise
            except ConnectorError as error:
                await self._take([each], write_ids, same_outcome([each], False, str(error)), bulk=False)
                raise
            else:
                await self._take([each], write_ids, [outcome], bulk=False)
                silent = 0

    async def _patch(self, each: Ready) -> ItemOutcome:
        try:
            current = self.run.mapping.read_configuration(each.fresh)
            operations = patch_operations(each.changes, current, self.run.mapping, self.run.references)
        except Exception as error:
            return ItemOutcome(0, False, message=f"No change can be made of it: {record_problem(error)}")
        try:
            await patch_record(self.run.client, each.modification.configuration.id, operations)
            return ItemOutcome(0, True, each.modification.configuration.id)
        except RejectedError as error:
            words = _with_unsent_fields(error, each.changes)
            return ItemOutcome(0, False, status=error.status, message=words)

    async def _journal(self, ready: Sequence[Ready]) -> list[int]:
        return await self.log.journal.begin([each.entry for each in ready])

    async def _record(self, write_ids: Sequence[int], outcomes: Sequence[ItemOutcome]) -> None:
        if write_ids:
            await self.log.journal.record(journal_outcomes(write_ids, outcomes))

    async def _take(
        self, ready: Sequence[Ready], write_ids: Sequence[int], outcomes: Sequence[ItemOutcome], *, bulk: bool
    ) -> None:
        """Keep the outcomes of a request, in the results first: they stay true if the journal fails."""
        for each, write_id, outcome in zip(ready, write_ids, outcomes, strict=True):
            key = each.modification.asset.key
            record_id = each.modification.configuration.id
            if outcome.ok is None:
                self.unanswered[key] = Sent(each, write_id, bulk, outcome.message)
            else:
                if outcome.ok:
                    self._agreed(each)
                self.log.take(
                    key,
                    outcome.ok,
                    record_id,
                    outcome.message,
                    refused=is_own_refusal(outcome),
                    version=version_of(each.fresh),
                )
        await self._record(write_ids, outcomes)

    async def _keep(self, kept: Sequence[Modification], records: dict[int, Record]) -> None:
        """Nothing is left to write: a request without an answer has done it, or somebody else has."""
        done = []
        for each in kept:
            key, record_id = each.asset.key, each.configuration.id
            sent = self.unanswered.pop(key, None)
            message = "already as wanted" if sent is None else _FOUND
            self.log.results[key] = WriteResult(key, True, record_id, message, sent is not None)
            if sent is not None:
                self._agreed(sent.ready)
                done.append(sent)
        await self._record([sent.write_id for sent in done], same_outcome(done, True, _FOUND))
        put = [sent.ready for sent in done if sent.bulk]
        if put and self.canary.must_see(put):
            self.bulk &= await self.canary.check(put, records)

    def _agreed(self, each: Ready) -> None:
        self.run.bases.wrote(each.modification.asset, each.modification.configuration, each.changes)

    def _fail(self, modifications: Sequence[Modification], message: str) -> None:
        for each in modifications:
            key = each.asset.key
            sent = self.unanswered.pop(key, None)
            words = (
                message
                if sent is None
                else f"It may have been written; the next run looks again. {sent.message}"
            )
            self.log.fail(key, words, each.configuration.id, written=sent is not None)


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
