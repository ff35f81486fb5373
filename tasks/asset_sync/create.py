"""Creates the planned configurations: batches of 50, each journalled, none ever sent again unread.

Finds out what became of creations whose answer never came (docs/spec.md, design 4.7).

The server may still be working, record by record, when the connection is long gone. So nothing is sent
again until two reads of everything above the highest id known agree, some seconds apart, the last of them at
least the settle time after the request began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio

from connectors.connectwise.conditions import all_of, equals
from connectors.errors import ConnectorError, RejectedError, StopError, UnclearOutcomeError
from connectors.ledger.models import WriteEntry, WriteOutcome
from tasks.asset_sync.run import SyncRun, WriteResult
from tasks.connectwise.bulk_create_configurations import bulk_create_configurations
from tasks.rules.asset_sync.payloads import creation_payload
from tasks.rules.bulk import ItemOutcome, batches, join_bulk_answer
from tasks.rules.values import AssetRecord
from tasks.shared.action import Inventory, action
from tasks.shared.concurrency import groups, send_batches
from tasks.shared.progress import Progress, run_logger
from tasks.shared.retry import retry

LONG_AGO_SECONDS = 3600.0
"""No server still works on a request that old, whatever the clocks of two machines say."""

Found = dict[str, list[int]]
"""Asset key -> ids of the configurations that carry it."""


async def find_created(run: SyncRun, above_id: int) -> Found:
    """Configurations of the company with an id above ``above_id``, by the asset key they carry."""
    conditions = all_of(equals("company/id", run.company.id), f"id>{above_id}")
    found: Found = defaultdict(list)
    pages = run.client.configurations.pages(conditions=conditions, fields=run.mapping.configuration_fields)
    async for page in pages:
        for record in map(run.mapping.read_configuration, page):
            found[record.asset_key or ""].append(record.id)
    return dict(found)


async def read_until_settled(run: SyncRun, above_id: int, seconds_to_wait: float) -> Found:
    """Read until two reads agree, the last of them ``seconds_to_wait`` from now or later."""
    pause = run.settings.waiting.pause_seconds
    run_logger().warning(
        "A creation has no answer yet; reading back for at least %.0f s before anything is sent again",
        max(seconds_to_wait, pause),
    )
    deadline = anyio.current_time() + seconds_to_wait
    await anyio.sleep(max(0.0, seconds_to_wait - pause))
    found = await retry(lambda: find_created(run, above_id), run.settings.waiting)
    while True:
        await anyio.sleep(pause)
        again = await retry(lambda: find_created(run, above_id), run.settings.waiting)
        if again == found and anyio.current_time() >= deadline:
            return again
        found = again


async def settle_open_batches(run: SyncRun) -> int:
    """Wait for the creations that a killed run left in flight; returns how many batches there were.

    The wait is counted from now: between the note in the ledger and the request itself may lie a pause that
    the vendor asked for, and the killed run's clock may have been another machine's.
    """
    batches = await run.ledger.batches.in_flight(run.connectwise, run.company.id)
    if not batches:
        return 0
    run_logger().warning("%d creation batches of an earlier run have no known outcome", len(batches))
    age = (datetime.now(UTC) - max(batch.sent_at for batch in batches)).total_seconds()
    wait = 0.0 if age > LONG_AGO_SECONDS else run.settings.waiting.settle_seconds
    found = await read_until_settled(run, min(batch.highest_id for batch in batches), wait)
    await close_batches(run, found)
    return len(batches)


async def close_batches(run: SyncRun, found: Found) -> None:
    """Settle every open batch of the company in the ledger by what was found to exist."""
    batches = await run.ledger.batches.in_flight(run.connectwise, run.company.id)
    keys: dict[str, set[str]] = defaultdict(set)
    for batch in batches:
        keys[batch.run_id].update(batch.asset_keys)
    for run_id, sent in keys.items():
        await _close_journal(run, run_id, sent, found)
    for batch in batches:
        await run.ledger.batches.close(batch.id)


async def _close_journal(run: SyncRun, run_id: str, keys: set[str], found: Found) -> None:
    """Note in the journal of the run that sent them which of the records exist after all."""
    open_writes = [
        (write.asset_key, write.id)
        for write in await run.ledger.journal.of_run(run_id)
        if write.operation == "create" and write.outcome in {None, "unclear"} and write.asset_key in keys
    ]
    await run.ledger.journal.record_outcomes(_outcomes(open_writes, found))


def _outcomes(writes: Iterable[tuple[str | None, int]], found: Found) -> Sequence[WriteOutcome]:
    return [
        WriteOutcome(write_id, "done", min(found[key]), "found by reading back")
        if key and key in found
        else WriteOutcome(write_id, "not_sent", None, "read back: it was not created")
        for key, write_id in writes
    ]


FOUND = "found by reading back"

Ready = tuple[AssetRecord, dict[str, Any]]
"""An asset and the record that creates its configuration."""

ROUNDS = 3
"""How often what an unclear request did not create is sent again."""

BULK_REFUSED = frozenset({404, 405, 501})
"""Statuses that say the server has no bulk endpoint, not that a record is wrong."""


@action("Bulk Configuration Creation", key="bulkConfigurationCreationAction")
async def create_group(creating: Creating, group: Inventory[list[AssetRecord]]) -> Inventory[AssetRecord]:
    """Send several batches, one after the other, as one task run; returns the assets with no known outcome.

    A task run for each request of 50 records took a seventh of a first load's time.
    """
    return Inventory([asset for batch in group for asset in await creating.send_batch(batch)])


create_once = create_group.with_options(retries=0)
"""The waiting is done here, where it is known how long it is worth while and when the request went out."""


async def create_configurations(run: SyncRun, assets: Sequence[AssetRecord]) -> dict[str, WriteResult]:
    """Create one configuration an asset; the results are by asset key, one for every asset."""
    return await Creating(run, len(assets)).create(assets)


class Creating:
    """The creations of one run. ``one_by_one`` once the server has refused the bulk endpoint."""

    def __init__(self, run: SyncRun, total: int) -> None:
        self.run = run
        self.results: dict[str, WriteResult] = {}
        self.progress = Progress("configurations created", total)
        self.one_by_one = False
        self.stopped: StopError | None = None
        self.unclear_since = 0.0

    async def create(self, assets: Sequence[AssetRecord]) -> dict[str, WriteResult]:
        """Send, read back what has no answer, send the rest of it again, at last one by one.

        One by one, since a single record may be what the server breaks on.
        """
        rest = list(assets)
        for number in range(1, ROUNDS + 1):
            self.one_by_one |= number == ROUNDS
            unclear = await self._send_all(rest)
            if not unclear:
                return self.results
            rest = await self._read_back(unclear)
        for asset in rest:
            self.results[asset.key] = WriteResult(
                asset.key,
                False,
                message="The server never answered; the next run looks again.",
                written=False,
            )
        return self.results

    async def _send_all(self, assets: Sequence[AssetRecord]) -> list[AssetRecord]:
        """Send every batch, the first one alone; returns the assets whose outcome is not known."""
        unclear: list[AssetRecord] = []

        async def send(group: list[list[AssetRecord]]) -> None:
            unclear.extend(await create_once(self, Inventory(group)))

        await send_batches(groups(list(batches(assets, self.run.settings.batch_size))), send)
        return unclear

    async def send_batch(self, batch: list[AssetRecord]) -> list[AssetRecord]:
        """Send one batch; returns the assets whose outcome is not known."""
        unclear = await self._send_batch(batch)
        self.progress.advance(len(batch))
        return unclear

    async def _send_batch(self, batch: list[AssetRecord]) -> list[AssetRecord]:
        if self.stopped is not None:
            return self._fail(batch, f"Not sent: {self.stopped}")
        ready = [(asset, record) for asset in batch if (record := self._payload(asset)) is not None]
        if not ready:
            return []
        if not self.one_by_one:
            return await self._send(ready)
        return [asset for pair in ready for asset in await self._send([pair])]

    def _payload(self, asset: AssetRecord) -> dict[str, Any] | None:
        payload = creation_payload(asset, self.run.mapping, self.run.references, self.run.company.id)
        if payload.record is None:
            self._fail([asset], payload.skipped or "It can't be created.")
        return payload.record

    async def _send(self, ready: list[Ready]) -> list[AssetRecord]:
        """One request: noted before it is sent, settled when every record of it is accounted for."""
        assets = [asset for asset, _ in ready]
        if self.stopped is not None:
            return self._fail(assets, f"Not sent: {self.stopped}")
        try:
            batch_id, write_ids = await self._note(ready)
        except ConnectorError as error:
            self._stop(error)
            return self._fail(assets, f"Not sent: {error}")
        outcomes = await self._post([record for _, record in ready])
        if outcomes is None:
            await self._settle(batch_id, write_ids, _all(ready, False, "The server refuses bulk creation."))
            return await self._send_batch(assets)
        unclear = self._take(assets, outcomes)
        await self._settle(batch_id, write_ids, outcomes)
        return unclear

    async def _note(self, ready: list[Ready]) -> tuple[int, list[int]]:
        """The batch and the journal's entries: whoever finds them after a kill settles both."""
        run = self.run
        keys = [asset.key for asset, _ in ready]
        entries = [_entry(asset, record) for asset, record in ready]
        return await run.ledger.batches.open(
            run.run_id, run.connectwise, run.company.id, keys, run.highest_id, entries
        )

    async def _post(self, records: list[dict[str, Any]]) -> list[ItemOutcome] | None:
        """Outcomes in the order sent; None when the bulk endpoint is refused, so go on one by one."""
        try:
            # After a RetryableError nothing was done, so the same records may be sent again.
            return await retry(lambda: self._post_once(records), self.run.settings.waiting)
        except UnclearOutcomeError as error:
            self.unclear_since = anyio.current_time()
            return _all(records, None, str(error))
        except RejectedError as error:
            return self._rejected(records, error)
        except ConnectorError as error:
            self._stop(error)
            return _all(records, False, str(error))
        except Exception as error:
            # Not the vendor but something around the request failed, so it may have been sent.
            self.unclear_since = anyio.current_time()
            self._stop(StopError(f"{type(error).__name__} while sending a batch: {error}"))
            return _all(records, None, str(error))

    async def _post_once(self, records: list[dict[str, Any]]) -> list[ItemOutcome]:
        if self.one_by_one and len(records) == 1:
            created = await self.run.client.configurations.create(records[0])
            outcomes = join_bulk_answer(1, created)
        else:
            outcomes = await bulk_create_configurations.fn(self.run.connectwise, records)
        if any(outcome.ok is None for outcome in outcomes):
            self.unclear_since = anyio.current_time()
        return outcomes

    def _rejected(self, records: list[dict[str, Any]], error: RejectedError) -> list[ItemOutcome] | None:
        if self.one_by_one or error.status not in BULK_REFUSED:
            return _all(records, False, str(error))
        run_logger().warning("The server refuses bulk creation; going on one by one. %s", error)
        self.run.notes.append("The server refuses bulk creation; the run went on one by one.")
        self.one_by_one = True
        return None

    def _stop(self, error: ConnectorError) -> None:
        self.stopped = error if isinstance(error, StopError) else StopError(str(error))

    async def _settle(self, batch_id: int, write_ids: list[int], outcomes: Sequence[ItemOutcome]) -> None:
        """Note what became of a request; if that fails, nothing more is sent and the batch stays open."""
        words = {True: "done", False: "failed", None: "unclear"}
        settled = [
            WriteOutcome(write_id, words[outcome.ok], outcome.record_id, outcome.message or None)  # type: ignore[arg-type]
            for write_id, outcome in zip(write_ids, outcomes, strict=True)
        ]
        try:
            if all(outcome.ok is not None for outcome in outcomes):
                await self.run.ledger.batches.close(batch_id, settled)
            else:
                await self.run.ledger.journal.record_outcomes(settled)
        except ConnectorError as error:
            self._stop(error)

    def _take(self, assets: list[AssetRecord], outcomes: Sequence[ItemOutcome]) -> list[AssetRecord]:
        for asset, outcome in zip(assets, outcomes, strict=True):
            if outcome.ok is not None:
                self.results[asset.key] = WriteResult(
                    asset.key, outcome.ok, outcome.record_id, outcome.message
                )
        return [asset for asset, outcome in zip(assets, outcomes, strict=True) if outcome.ok is None]

    def _fail(self, assets: Sequence[AssetRecord], message: str) -> list[AssetRecord]:
        """None of them is written; returns that none is unclear."""
        for asset in assets:
            self.results[asset.key] = WriteResult(asset.key, False, message=message, written=False)
        return []

    async def _read_back(self, unclear: list[AssetRecord]) -> list[AssetRecord]:
        """Take over what was created after all; returns the assets that were certainly not created."""
        run = self.run
        left = run.settings.waiting.settle_seconds - (anyio.current_time() - self.unclear_since)
        try:
            found = await read_until_settled(run, run.highest_id, max(0.0, left))
        except ConnectorError as error:
            self._stop(error)
            return self._fail(
                unclear, f"No answer came, and reading back failed; the next run looks again. {error}"
            )
        for asset in unclear:
            if asset.key in found:
                record_id = min(found[asset.key])
                self.results[asset.key] = WriteResult(asset.key, True, record_id, FOUND)
        try:
            await close_batches(run, found)
        except ConnectorError as error:
            self._stop(error)
        return [asset for asset in unclear if asset.key not in found]


def _all(records: Sequence[Any], ok: bool | None, message: str) -> list[ItemOutcome]:
    return [ItemOutcome(index, ok, message=message) for index in range(len(records))]


def _entry(asset: AssetRecord, record: dict[str, Any]) -> WriteEntry:
    return WriteEntry("create", "configuration", None, asset.key, asset.name or asset.key, None, record)
