"""Create the planned configurations, and recover creations whose answer never came.

Requests are sent and journalled by the action Bulk Configuration Creation. Recovery (docs/spec.md, design
4.7): the server may still be working, record by record, when the connection is long gone. So nothing is
sent again until two reads of everything above the highest id known agree, some seconds apart, the last of
them at least the settle time after the request began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import anyio

from connectors.connectwise.conditions import all_of, equals
from connectors.errors import ConnectorError, StopError
from connectors.ledger.models import KnownLink, OpenBatch, WriteOutcome
from tasks.asset_sync.run import SyncRun, check_typed_ids
from tasks.connectwise.bulk_create_configurations import ConfigurationCreations, CreatedIds
from tasks.rules.asset_sync.payloads import CreationPayload, creation_payload
from tasks.rules.asset_sync.plan import Creation
from tasks.rules.values import AssetRecord
from tasks.shared.journalled import WriteLog, WriteResult
from tasks.shared.progress import Progress, run_logger
from tasks.shared.retry import retry

LONG_AGO_SECONDS = 3600.0
"""No server still works on a request that old, whatever the clocks of two machines say."""


class UnreadableCreationError(StopError):
    """One of the configurations that may have been created can't be read, so nothing is sent again."""


async def find_created(run: SyncRun, above_id: int) -> CreatedIds:
    """Configurations of the company with an id above ``above_id``, by the asset key they carry.

    One whose key can't be read is among the run's unread ones: no asset is created beside it.
    """
    conditions = all_of(equals("company/id", run.company.id), f"id>{above_id}")
    found: dict[str, list[int]] = defaultdict(list)
    pages = run.client.configurations.pages(conditions=conditions, fields=run.mapping.configuration_fields)
    async for page in pages:
        for record in map(run.unread.read_configuration, page):
            found[record.asset_key or ""].append(record.id)
    return dict(found)


async def find_all_created(run: SyncRun, above_id: int) -> CreatedIds:
    """The same, before anything is sent again. UnreadableCreationError: one of them can't be read."""
    found = await find_created(run, above_id)
    if unkeyed := sorted(each for each in run.unread.unkeyed if each > above_id):
        raise UnreadableCreationError(
            f"The asset key of configuration {unkeyed[0]} can't be read, and it may be one that was sent",
            remedy="See what its custom fields hold in ConnectWise, then run again.",
        )
    return found


async def read_back(run: SyncRun, above_id: int, seconds_to_wait: float, *, sends_again: bool) -> CreatedIds:
    """Read until two reads agree, the last of them ``seconds_to_wait`` from now or later.

    ``sends_again``: what is not found is sent once more, so that all must be readable.
    """
    pause = run.settings.waiting.pause_seconds
    run_logger().warning(
        "A creation has no answer yet; reading back for at least %.0f s before anything is sent again",
        max(seconds_to_wait, pause),
    )
    deadline = anyio.current_time() + seconds_to_wait
    await anyio.sleep(max(0.0, seconds_to_wait - pause))
    find = find_all_created if sends_again else find_created
    found = await retry(lambda: find(run, above_id), run.settings.waiting)
    while True:
        await anyio.sleep(pause)
        again = await retry(lambda: find(run, above_id), run.settings.waiting)
        if again == found and anyio.current_time() >= deadline:
            return again
        found = again


async def recover_open_batches(run: SyncRun) -> int:
    """Wait for the creations that a killed run left in flight; returns how many batches there were.

    The wait is counted from now: between the note in the ledger and the request itself may lie a pause that
    the vendor asked for, and the killed run's clock may have been another machine's.
    """
    batches = await open_batches(run)
    if not batches:
        return 0
    # By a wrong id of the link field none of their keys would be found.
    await check_typed_ids(run)
    run_logger().warning("%d creation batches of an earlier run have no known outcome", len(batches))
    age = (datetime.now(UTC) - max(batch.sent_at for batch in batches)).total_seconds()
    wait = 0.0 if age > LONG_AGO_SECONDS else run.settings.waiting.settle_seconds
    found = await read_back(run, min(batch.highest_id for batch in batches), wait, sends_again=False)
    await close_batches(run, found)
    return len(batches)


async def open_batches(run: SyncRun) -> list[OpenBatch]:
    """The batches of this tenant and company that nobody has closed, whatever block sent them."""
    return await run.ledger.batches.in_flight(run.tenant, run.company.id, run.connectwise)


async def close_batches(run: SyncRun, found: CreatedIds) -> None:
    """Close every open batch of the company in the ledger by what was found to exist.

    A batch that an older version noted under the block's name is of this tenant if its records are here. Else
    the block may have led elsewhere then: the batch is set aside, and its journal stays as it is.
    """
    batches = await open_batches(run)
    for batch in [
        each for each in batches if each.tenant is None and found.keys().isdisjoint(each.asset_keys)
    ]:
        await run.ledger.batches.set_aside(batch.id)
        batches.remove(batch)
    keys: dict[str, set[str]] = defaultdict(set)
    for batch in batches:
        keys[batch.run_id].update(batch.asset_keys)
    for run_id, sent in keys.items():
        await _close_journal(run, run_id, sent, found)
    for batch in batches:
        links = [KnownLink(key, run.company.id, min(found[key])) for key in batch.asset_keys if key in found]
        await run.ledger.batches.close(batch.id, (), run.tenant, links)


async def _close_journal(run: SyncRun, run_id: str, keys: set[str], found: CreatedIds) -> None:
    """Note in the journal of the run that sent them which of the records exist after all."""
    open_writes = [
        (write.asset_key, write.id)
        for write in await run.ledger.journal.of_run(run_id)
        if write.operation == "create" and write.outcome in {None, "unclear"} and write.asset_key in keys
    ]
    outcomes = [
        WriteOutcome(write_id, "done", min(found[key]), FOUND)
        if key and key in found
        else WriteOutcome(write_id, "not_sent", None, "read back: it was not created")
        for key, write_id in open_writes
    ]
    await run.ledger.journal.record_outcomes(outcomes)


FOUND = "found by reading back"

ROUNDS = 3
"""How often what an unclear request did not create is sent again."""


async def create_configurations(run: SyncRun, planned: Sequence[Creation]) -> dict[str, WriteResult]:
    """Create one configuration an asset; the results are by asset key, one for every asset.

    Send, read back what has no answer, send the rest of it again, at last one by one, since a single record
    may be what the server breaks on.
    """
    assets = [each.asset for each in planned]
    values = {each.asset.key: each.values for each in planned}
    log = WriteLog(run.journal, Progress("configurations created", len(assets)))
    creations = ConfigurationCreations(
        run.client,
        log,
        lambda asset: _payload(run, asset, values[asset.key]),
        policy=run.settings.waiting,
        batch_size=run.settings.batch_size,
        highest_id=run.highest_id,
        notes=run.notes,
        created_above=lambda above_id: find_all_created(run, above_id),
    )
    rest = assets
    for number in range(1, ROUNDS + 1):
        creations.one_by_one |= number == ROUNDS
        unclear = await creations.send(rest)
        rest = await _read_back(run, log, unclear, creations.unclear_since) if unclear else []
        if not rest:
            break
    for asset in rest:
        log.fail(asset.key, "The server never answered; the next run looks again.")
    return log.results


def _payload(run: SyncRun, asset: AssetRecord, values: Sequence[Any]) -> CreationPayload:
    payload = creation_payload(values, run.mapping, run.references, run.company.id)
    if payload.record is not None:
        run.bases.sends(asset, payload.record)
    return payload


async def _read_back(
    run: SyncRun, log: WriteLog, unclear: list[AssetRecord], since: float
) -> list[AssetRecord]:
    """Take over what was created after all; returns the assets that were certainly not created."""
    left = run.settings.waiting.settle_seconds - (anyio.current_time() - since)
    try:
        found = await read_back(run, run.highest_id, max(0.0, left), sends_again=True)
    except ConnectorError as error:
        log.stopped = error
        for asset in unclear:
            log.fail(asset.key, f"No answer came, and reading back failed; the next run looks again. {error}")
        return []
    for asset in unclear:
        if asset.key in found:
            log.take(asset.key, True, min(found[asset.key]), FOUND)
    try:
        await close_batches(run, found)
    except ConnectorError as error:
        log.stopped = error
    return [asset for asset in unclear if asset.key not in found]
