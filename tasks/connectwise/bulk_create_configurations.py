"""The documented action Bulk Configuration Creation, its step in a run, and what else creates or deletes.

In a run ``ConfigurationCreations`` sends batches of 50, each noted in the ledger before it is sent, and
never one again that had no answer: the caller reads back what it made. Where the server has no bulk endpoint,
records are created one by one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import anyio

from connectors.connectwise.client import ConnectWiseClient
from connectors.errors import ConnectorError, RejectedError, StopError, UnclearOutcomeError
from connectors.ledger.models import KnownLink, WriteEntry
from tasks.rules.asset_sync.payloads import CreationPayload
from tasks.rules.bulk import (
    MAX_BATCH,
    ItemOutcome,
    SplitAllowance,
    batches,
    is_own_refusal,
    join_bulk_answer,
    parts,
)
from tasks.rules.limits import check_batch
from tasks.rules.quarantine import OF_ONE_RECORD
from tasks.rules.values import AssetRecord
from tasks.shared.action import Inventory, action, action_step
from tasks.shared.concurrency import groups, send_batches
from tasks.shared.connections import connectwise_client
from tasks.shared.isolation import record_problem
from tasks.shared.journalled import WriteLog, journal_outcomes, same_outcome
from tasks.shared.progress import run_logger
from tasks.shared.retry import RetryPolicy, retry

BULK_REFUSED = frozenset({404, 405, 501})
"""Statuses that say the server has no bulk endpoint, not that a record is wrong."""

CreatedIds = Mapping[str, Sequence[int]]
"""Asset key -> ids of the configurations that carry it."""
_Ready = tuple[AssetRecord, dict[str, Any]]


@action("Bulk Configuration Creation", key="bulkConfigurationCreationAction")
async def bulk_create_configurations(
    connection: str, configurations: list[dict[str, Any]]
) -> list[ItemOutcome]:
    """Create up to 50 configurations with one request; each may be refused for itself.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        configurations: whole configuration records; name, type and company are required.

    Returns:
        One outcome for each record, in the order sent; ``ok`` is None where the answer does not tell.

    Raises:
        LimitError: none or more than 50 records.
        UnclearOutcomeError: no answer came; read what exists before sending any of them again.
    """
    check_batch("Configurations", configurations, MAX_BATCH)
    async with connectwise_client(connection) as client:
        return await _post_bulk(client, configurations)


async def _post_bulk(client: ConnectWiseClient, records: list[dict[str, Any]]) -> list[ItemOutcome]:
    answer = await client.create_configurations(records)
    return join_bulk_answer(len(records), answer, client.session.redact)


@action_step(bulk_create_configurations, retries=0)
async def create_group(
    creations: ConfigurationCreations, group: Inventory[list[AssetRecord]]
) -> Inventory[AssetRecord]:
    """Send several batches, one after the other, as one task run; returns the assets with no known outcome.

    A task run for each request of 50 records took a seventh of a first load's time. The waiting is done
    within, where it is known how long it is worth while and when the request went out.
    """
    return Inventory([asset for batch in group for asset in await creations.send_batch(batch)])


class ConfigurationCreations:
    """The creations of one run, with their results in ``log``.

    Attributes:
        one_by_one: set once the server has refused the bulk endpoint; a caller may set it too.
        unclear_since: when the last request without a known outcome was sent, by anyio's clock.
    """

    def __init__(
        self,
        client: ConnectWiseClient,
        log: WriteLog,
        payload: Callable[[AssetRecord], CreationPayload],
        *,
        policy: RetryPolicy,
        batch_size: int,
        highest_id: int,
        notes: list[str],
        created_above: Callable[[int], Awaitable[CreatedIds]],
    ) -> None:
        self.client = client
        self.log = log
        self.policy = policy
        self.batch_size = batch_size
        self.highest_id = highest_id
        self.one_by_one = False
        self.unclear_since = 0.0
        self._notes = notes
        self._payload = payload
        self._created_above = created_above
        self._allowance = SplitAllowance()
        self._newest_id = highest_id

    async def send(self, assets: Sequence[AssetRecord]) -> list[AssetRecord]:
        """Send every batch, the first one alone; returns the assets whose outcome is not known."""
        unclear: list[AssetRecord] = []

        async def send_group(group: list[list[AssetRecord]]) -> None:
            unclear.extend(await create_group(self, Inventory(group)))

        await send_batches(groups(list(batches(assets, self.batch_size))), send_group)
        return unclear

    async def send_batch(self, batch: list[AssetRecord]) -> list[AssetRecord]:
        """Send one batch; returns the assets whose outcome is not known."""
        unclear = await self._send_batch(batch)
        self.log.progress.advance(len(batch))
        return unclear

    async def _send_batch(self, batch: list[AssetRecord]) -> list[AssetRecord]:
        if self.log.stopped is not None:
            return self._fail(batch, f"Not sent: {self.log.stopped}")
        ready = [(asset, record) for asset in batch if (record := self._record_of(asset)) is not None]
        if not ready:
            return []
        if not self.one_by_one:
            return await self._send(ready)
        return [asset for pair in ready for asset in await self._send([pair])]

    def _record_of(self, asset: AssetRecord) -> dict[str, Any] | None:
        try:
            payload = self._payload(asset)
        except Exception as error:
            # One asset's values must not keep the others of its batch from being created.
            self._fail([asset], f"No record can be made of it: {record_problem(error)}")
            return None
        if payload.record is None:
            self._fail([asset], payload.skipped or "It can't be created.")
        return payload.record

    async def _send(self, ready: list[_Ready]) -> list[AssetRecord]:
        """One request: noted before it is sent, closed when every record of it is accounted for."""
        assets = [asset for asset, _ in ready]
        if self.log.stopped is not None:
            return self._fail(assets, f"Not sent: {self.log.stopped}")
        try:
            batch_id, write_ids = await self._note(ready)
        except ConnectorError as error:
            self.log.stopped = error
            return self._fail(assets, f"Not sent: {error}")
        floor = self._newest_id
        outcomes = await self._post([record for _, record in ready])
        if isinstance(outcomes, RejectedError):
            return await self._split(ready, batch_id, write_ids, floor, outcomes)
        if outcomes is None:
            refused = same_outcome(ready, False, "The server refuses bulk creation.")
            await self._record(batch_id, write_ids, refused)
            return await self._send_batch(assets)
        self._take(assets, outcomes)
        await self._record(batch_id, write_ids, outcomes, assets)
        return [asset for asset, outcome in zip(assets, outcomes, strict=True) if outcome.ok is None]

    def _take(self, assets: Sequence[AssetRecord], outcomes: Sequence[ItemOutcome]) -> None:
        for asset, outcome in zip(assets, outcomes, strict=True):
            if outcome.ok is not None:
                refused = is_own_refusal(outcome)
                self.log.take(asset.key, outcome.ok, outcome.record_id, outcome.message, refused=refused)
                self._newest_id = max(self._newest_id, outcome.record_id or 0)

    async def _split(
        self, ready: list[_Ready], batch_id: int, write_ids: list[int], floor: int, error: RejectedError
    ) -> list[AssetRecord]:
        """One record can have a whole request refused: send it in parts, until that record stands alone.

        Nobody says that a refused request has made nothing, so what lies above the ids known before it is
        read first, and nothing that is there is sent again.
        """
        assets = [asset for asset, _ in ready]
        try:
            found = await retry(lambda: self._created_above(floor), self.policy)
        except ConnectorError as failed:
            self.unclear_since = anyio.current_time()
            why = f"Refused as a whole, and what it made could not be read: {failed}"
            await self._record(batch_id, write_ids, same_outcome(ready, None, why))
            return assets
        made = [
            ItemOutcome(index, True, min(found[asset.key]), message="found by reading back")
            if found.get(asset.key)
            else ItemOutcome(index, False, message=f"Refused together with others: {error}")
            for index, asset in enumerate(assets)
        ]
        self._take([assets[each.index] for each in made if each.ok], [each for each in made if each.ok])
        await self._record(batch_id, write_ids, made, assets)
        rest = [pair for pair, each in zip(ready, made, strict=True) if not each.ok]
        pieces = parts(rest)
        # The look for what was made all the same counts too.
        if not self._allowance.take(1 + len(pieces)):
            why = f"Refused together with others, and not tried alone since too many were refused: {error}"
            return self._fail([asset for asset, _ in rest], why)
        run_logger().warning("A batch of %d creations was refused; going on in parts: %s", len(rest), error)
        return [asset for piece in pieces for asset in await self._send(piece)]

    async def _note(self, ready: list[_Ready]) -> tuple[int, list[int]]:
        """The batch and the journal's entries: whoever finds them after a kill closes both."""
        journal = self.log.journal
        return await journal.ledger.batches.open(
            journal.run_id,
            journal.connection,
            journal.company_id,
            [asset.key for asset, _ in ready],
            self.highest_id,
            [
                WriteEntry("create", "configuration", None, each.key, each.name or each.key, None, record)
                for each, record in ready
            ],
            tenant=journal.tenant,
        )

    async def _post(self, records: list[dict[str, Any]]) -> list[ItemOutcome] | RejectedError | None:
        """Outcomes in the order sent, or the error that refuses them all together.

        None when the bulk endpoint is refused, so go on one by one.
        """
        try:
            # After a RetryableError nothing was done, so the same records may be sent again.
            return await retry(lambda: self._post_once(records), self.policy)
        except UnclearOutcomeError as error:
            self.unclear_since = anyio.current_time()
            return same_outcome(records, None, str(error))
        except RejectedError as error:
            return self._rejected(records, error)
        except ConnectorError as error:
            self.log.stopped = error
            return same_outcome(records, False, str(error))
        except Exception as error:
            # Not the vendor but something around the request failed, so it may have been sent.
            self.unclear_since = anyio.current_time()
            self.log.stopped = StopError(f"{type(error).__name__} while sending a batch: {error}")
            return same_outcome(records, None, str(error))

    async def _post_once(self, records: list[dict[str, Any]]) -> list[ItemOutcome]:
        if self.one_by_one and len(records) == 1:
            outcomes = join_bulk_answer(1, await self.client.configurations.create(records[0]))
        else:
            outcomes = await _post_bulk(self.client, records)
        if any(outcome.ok is None for outcome in outcomes):
            self.unclear_since = anyio.current_time()
        return outcomes

    def _rejected(
        self, records: list[dict[str, Any]], error: RejectedError
    ) -> list[ItemOutcome] | RejectedError | None:
        if len(records) > 1 and error.status in OF_ONE_RECORD:
            return error
        if self.one_by_one or error.status not in BULK_REFUSED:
            return same_outcome(records, False, str(error), error.status)
        run_logger().warning("The server refuses bulk creation; going on one by one. %s", error)
        self._notes.append("The server refuses bulk creation; the run went on one by one.")
        self.one_by_one = True
        return None

    async def _record(
        self,
        batch_id: int,
        write_ids: list[int],
        outcomes: Sequence[ItemOutcome],
        assets: Sequence[AssetRecord] = (),
    ) -> None:
        """Record what became of a request; if that fails, nothing more is sent and the batch stays open."""
        recorded = journal_outcomes(write_ids, outcomes)
        journal = self.log.journal
        links = [
            KnownLink(asset.key, journal.company_id, outcome.record_id)
            for asset, outcome in zip(assets, outcomes, strict=False)
            if outcome.ok and outcome.record_id is not None
        ]
        try:
            if all(outcome.ok is not None for outcome in outcomes):
                await journal.ledger.batches.close(batch_id, recorded, journal.tenant, links)
            else:
                await journal.record(recorded)
        except ConnectorError as error:
            self.log.stopped = error

    def _fail(self, assets: Sequence[AssetRecord], message: str) -> list[AssetRecord]:
        """None of them is written; returns that none is unclear."""
        for asset in assets:
            self.log.fail(asset.key, message)
        return []


async def delete_record(client: ConnectWiseClient, record_id: int) -> None:
    """Delete a configuration that was read a moment ago: one that is gone was deleted by a lost try."""
    try:
        await client.configurations.delete(record_id)
    except RejectedError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
