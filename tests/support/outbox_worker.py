"""One of several processes that create work orders, or drain the inbox, at the same time."""

from __future__ import annotations

import json
import sys
import uuid

import anyio

from connectors.ledger.store import Ledger


async def all_here(ledger: Ledger, me: str, number: int) -> None:
    """Waits until so many processes have their ledger open."""
    await ledger.state.set("workers", me, {})
    while not all([await ledger.state.get("workers", str(n)) is not None for n in range(number)]):  # noqa: ASYNC110
        await anyio.sleep(0.01)


async def create(ledger: Ledger, me: str, records: int) -> list[int]:
    """Creates what is nobody else's; returns the records for which it did."""
    made = []
    for record in range(records):
        holder, reference = uuid.uuid4().hex, f"CW-S-{record}"
        claimed = await ledger.intents.claim(
            "t", "service", record, reference, holder=holder, seconds=30, new_generation=True
        )
        if claimed.ours and claimed.row.state == "intent":
            await ledger.intents.mark_sent(claimed.row.id, holder, seconds=30)
            made.append(record)
            await ledger.intents.created(claimed.row.id, record * 100 + int(me))
    return made


async def drain(ledger: Ledger, _me: str, batch: int) -> list[str]:
    """Settles messages until there are none; returns their ids in turn."""
    seen = []
    while True:
        holder = uuid.uuid4().hex
        messages = await ledger.inbox.claim(holder, limit=batch, seconds=30)
        if not messages:
            return seen
        seen += [message.message_id for message in messages]
        await ledger.inbox.acknowledge([message.id for message in messages], holder)


async def work(place: str, what: str, me: str, of: int, number: int) -> list[int] | list[str]:
    async with Ledger.open(place) as ledger:
        await all_here(ledger, me, of)
        return await (create if what == "create" else drain)(ledger, me, number)


if __name__ == "__main__":
    place, what, me, of, number = sys.argv[1:]
    print(json.dumps(anyio.run(work, place, what, me, int(of), int(number))))
