"""One of several processes that use a budget as fast as it lets them; prints when each request started."""

from __future__ import annotations

import json
import sys
import time

import anyio

from connectors.ledger.store import Ledger


async def work(place: str, limit: int, window: float, begin_at: float, seconds: float) -> list[float]:
    starts: list[float] = []
    async with Ledger.open(place) as ledger:
        limiter = ledger.rate_limits.limiter("vendor:1", limit, window)
        await anyio.sleep(max(0.0, begin_at - time.time()))
        with anyio.move_on_after(seconds):
            while True:
                await limiter.acquire()
                starts.append(time.time())
                await anyio.sleep(0.002)
    return starts


if __name__ == "__main__":
    place, limit, *times = sys.argv[1:]
    window, begin_at, seconds = map(float, times)
    print(json.dumps(anyio.run(work, place, int(limit), window, begin_at, seconds)))
