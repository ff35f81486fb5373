"""Finds out what became of creations whose answer never came (design 4.7).

The server may still be working, record by record, when the connection is long gone. So nothing is sent
again until two reads of everything above the highest id known agree, some seconds apart, the last of them at
least the settle time after the request began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import anyio

from connectors.connectwise.conditions import all_of, equals
from connectors.ledger.models import WriteOutcome
from tasks.progress import run_logger
from tasks.synchronization.patience import patiently
from tasks.synchronization.run import SyncRun

LONG_AGO_SECONDS = 3600.0
"""No server still works on a request that old, whatever the clocks of two machines say."""

Found = dict[str, list[int]]
"""Asset key -> ids of the configurations that carry it."""


async def find_created(run: SyncRun, above_id: int) -> Found:
    """Configurations of the company with an id above ``above_id``, by the asset key they carry."""
    conditions = all_of(equals("company/id", run.company.id), f"id>{above_id}")
    found: Found = defaultdict(list)
    pages = run.client.configurations_pages(conditions=conditions, fields=run.mapping.configuration_fields)
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
    found = await patiently(lambda: find_created(run, above_id), run.settings.waiting)
    while True:
        await anyio.sleep(pause)
        again = await patiently(lambda: find_created(run, above_id), run.settings.waiting)
        if again == found and anyio.current_time() >= deadline:
            return again
        found = again


async def settle_open_batches(run: SyncRun) -> int:
    """Wait for the creations that a killed run left in flight; returns how many batches there were.

    The wait is counted from now: between the note in the ledger and the request itself may lie a pause that
    the vendor asked for, and the killed run's clock may have been another machine's.
    """
    batches = await run.ledger.open_batches(run.connectwise, run.company.id)
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
    batches = await run.ledger.open_batches(run.connectwise, run.company.id)
    keys: dict[str, set[str]] = defaultdict(set)
    for batch in batches:
        keys[batch.run_id].update(batch.asset_keys)
    for run_id, sent in keys.items():
        await _close_journal(run, run_id, sent, found)
    for batch in batches:
        await run.ledger.settle_batch(batch.id)


async def _close_journal(run: SyncRun, run_id: str, keys: set[str], found: Found) -> None:
    """Note in the journal of the run that sent them which of the records exist after all."""
    open_writes = [
        (write.asset_key, write.id)
        for write in await run.ledger.writes_of_run(run_id)
        if write.operation == "create" and write.outcome in {None, "unclear"} and write.asset_key in keys
    ]
    await run.ledger.settle_writes(_outcomes(open_writes, found))


def _outcomes(writes: Iterable[tuple[str | None, int]], found: Found) -> Sequence[WriteOutcome]:
    return [
        WriteOutcome(write_id, "done", min(found[key]), "found by reading back")
        if key and key in found
        else WriteOutcome(write_id, "not_sent", None, "read back: it was not created")
        for key, write_id in writes
    ]
