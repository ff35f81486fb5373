"""The cache of related records: each is fetched once in its time."""

from __future__ import annotations

import pytest

from tasks.dispatch.run import MOST_KEPT, RelatedCache

pytestmark = pytest.mark.anyio


async def test_an_answer_is_kept_for_its_time_and_a_failure_is_not() -> None:
    clock, fetched = [0.0], list[float]()

    async def fetch() -> float:
        fetched.append(clock[0])
        if clock[0] == 20:
            raise RuntimeError
        return clock[0]

    cache = RelatedCache(10, now=lambda: clock[0])
    assert await cache.get("a", fetch) == 0
    clock[0] = 9
    assert await cache.get("a", fetch) == 0
    clock[0] = 10
    assert await cache.get("a", fetch) == 10
    clock[0] = 20
    with pytest.raises(RuntimeError):
        await cache.get("a", fetch)
    clock[0] = 21
    assert await cache.get("a", fetch) == 21
    assert fetched == [0, 10, 20, 21]


async def test_it_does_not_grow_without_end() -> None:
    cache, fetched = RelatedCache(1_000), list[int]()

    async def fetch() -> int:
        fetched.append(1)
        return 1

    for number in range(MOST_KEPT + 1):
        await cache.get(number, fetch)
    await cache.get(MOST_KEPT, fetch)
    assert len(fetched) == MOST_KEPT + 1
    await cache.get(0, fetch)
    assert len(fetched) == MOST_KEPT + 2
