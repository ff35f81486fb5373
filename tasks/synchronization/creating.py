"""Creates the planned configurations: batches of 50, each journalled, none ever sent again unread."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import anyio

from connectors.errors import ConnectorError, RejectedError, StopError, UnclearOutcomeError
from connectors.ledger.models import WriteEntry, WriteOutcome
from tasks.connectwise.bulk_create_configurations import bulk_create_configurations
from tasks.progress import Progress, run_logger
from tasks.rules.batching import ItemOutcome, batches
from tasks.rules.payloads import creation_payload
from tasks.rules.records import AssetRecord
from tasks.synchronization.run import SyncRun, WriteResult
from tasks.synchronization.settling import close_batches, read_until_settled

ROUNDS = 3
"""How often what an unclear request did not create is sent again."""

BATCHES_AT_ONCE = 3
"""Bulk requests in flight; a vendor's server takes seconds for one, and more at once invites 429."""

BULK_REFUSED = frozenset({404, 405, 501})
"""Statuses that say the server has no bulk endpoint, not that a record is wrong."""


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
        """Send, read back what has no answer, send the rest of it again."""
        rest = list(assets)
        for _ in range(ROUNDS):
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
        limiter = anyio.Semaphore(BATCHES_AT_ONCE)

        async def send(batch: list[AssetRecord]) -> None:
            async with limiter:
                unclear.extend(await self._send_batch(batch))
                self.progress.advance(len(batch))

        waiting = batches(assets, self.run.settings.batch_size)
        for first in itertools.islice(waiting, 1):
            await send(first)
        async with anyio.create_task_group() as group:
            for batch in waiting:
                group.start_soon(send, batch)
        return unclear

    async def _send_batch(self, batch: list[AssetRecord]) -> list[AssetRecord]:
        if self.stopped is not None:
            self._fail(batch, f"Not sent: {self.stopped}")
            return []
        ready = [(asset, record) for asset in batch if (record := self._payload(asset)) is not None]
        if not ready:
            return []
        if not self.one_by_one:
            return await self._send(ready)
        unclear = [await self._send([pair]) for pair in ready]
        return [asset for assets in unclear for asset in assets]

    def _payload(self, asset: AssetRecord) -> dict[str, Any] | None:
        payload = creation_payload(asset, self.run.mapping, self.run.references, self.run.company.id)
        if payload.record is None:
            self._fail([asset], payload.skipped or "It can't be created.")
        return payload.record

    async def _send(self, ready: list[tuple[AssetRecord, dict[str, Any]]]) -> list[AssetRecord]:
        """One request: noted before it is sent, settled when every record of it is accounted for."""
        run, assets = self.run, [asset for asset, _ in ready]
        write_ids = await run.ledger.begin_writes(
            run.run_id, run.connectwise, run.company.id, [_entry(asset, record) for asset, record in ready]
        )
        batch_id = await run.ledger.note_batch(
            run.run_id, run.connectwise, run.company.id, [asset.key for asset in assets], run.highest_id
        )
        outcomes = await self._post([record for _, record in ready])
        if outcomes is None:
            await self._settle(write_ids, _all(ready, False, "The server refuses bulk creation."))
            await run.ledger.settle_batch(batch_id)
            return await self._send_batch(assets)
        await self._settle(write_ids, outcomes)
        unclear = self._take(assets, outcomes)
        if not unclear:
            await run.ledger.settle_batch(batch_id)
        return unclear

    async def _post(self, records: list[dict[str, Any]]) -> list[ItemOutcome] | None:
        """Outcomes in the order sent; None when the bulk endpoint is refused, so go on one by one."""
        began = anyio.current_time()
        try:
            if self.one_by_one and len(records) == 1:
                created = await self.run.client.create_configuration(records[0])
                return [ItemOutcome(0, True, int(created["id"]))]
            return await bulk_create_configurations(self.run.connectwise, records)
        except UnclearOutcomeError as error:
            self.unclear_since = max(self.unclear_since, began)
            return _all(records, None, str(error))
        except RejectedError as error:
            if not self.one_by_one and error.status in BULK_REFUSED:
                run_logger().warning("The server refuses bulk creation; going on one by one. %s", error)
                self.run.notes.append("The server refuses bulk creation; the run went on one by one.")
                self.one_by_one = True
                return None
            return _all(records, False, str(error))
        except ConnectorError as error:
            self.stopped = error if isinstance(error, StopError) else StopError(str(error))
            return _all(records, False, str(error))

    async def _settle(self, write_ids: list[int], outcomes: Sequence[ItemOutcome]) -> None:
        words = {True: "done", False: "failed", None: "unclear"}
        settled = [
            WriteOutcome(write_id, words[outcome.ok], outcome.record_id, outcome.message or None)  # type: ignore[arg-type]
            for write_id, outcome in zip(write_ids, outcomes, strict=True)
        ]
        await self.run.ledger.settle_writes(settled)

    def _take(self, assets: list[AssetRecord], outcomes: Sequence[ItemOutcome]) -> list[AssetRecord]:
        for asset, outcome in zip(assets, outcomes, strict=True):
            if outcome.ok is not None:
                self.results[asset.key] = WriteResult(
                    asset.key, outcome.ok, outcome.record_id, outcome.message
                )
        return [asset for asset, outcome in zip(assets, outcomes, strict=True) if outcome.ok is None]

    def _fail(self, assets: Sequence[AssetRecord], message: str) -> None:
        for asset in assets:
            self.results[asset.key] = WriteResult(asset.key, False, message=message, written=False)

    async def _read_back(self, unclear: list[AssetRecord]) -> list[AssetRecord]:
        """Take over what was created after all; returns the assets that were certainly not created."""
        run = self.run
        left = run.settings.waiting.settle_seconds - (anyio.current_time() - self.unclear_since)
        found = await read_until_settled(run, run.highest_id, max(0.0, left))
        for asset in unclear:
            if asset.key in found:
                record_id = min(found[asset.key])
                self.results[asset.key] = WriteResult(asset.key, True, record_id, "found by reading back")
        await close_batches(run, found)
        return [asset for asset in unclear if asset.key not in found]


def _all(records: Sequence[Any], ok: bool | None, message: str) -> list[ItemOutcome]:
    return [ItemOutcome(index, ok, message=message) for index in range(len(records))]


def _entry(asset: AssetRecord, record: dict[str, Any]) -> WriteEntry:
    return WriteEntry("create", "configuration", None, asset.key, asset.name or asset.key, None, record)
