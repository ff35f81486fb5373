"""A few owners read by their child collections: what every cheaper way's answers are checked against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tasks.enrichment.link_search import LinkSearch
from tasks.enrichment.owners import Links, Owners, is_really, read_each

T = TypeVar("T")

SAMPLE = 3


async def read_sample(
    search: LinkSearch, owners: Owners, owner_ids: Sequence[int], size: int = SAMPLE
) -> Links:
    """Some of the owners, spread evenly; once more as many where none of them holds any configuration."""
    first = spread(owner_ids, size)
    sample = await read_each(search, owners, first)
    if not any(sample.values()):
        others = [each for each in owner_ids if each not in first]
        sample |= await read_each(search, owners, spread(others, size))
    return sample


def spread(items: Sequence[T], size: int) -> list[T]:
    """So many of the items, at even distances."""
    if len(items) <= size:
        return list(items)
    return [items[(2 * number + 1) * len(items) // (2 * size)] for number in range(size)]


async def contradicted(search: LinkSearch, owners: Owners, sample: Links, answered: Links) -> list[int]:
    """The sampled owners for which another way's answer is wrong.

    One whose child collection has meanwhile changed proves nothing and is taken out of ``sample``.
    """
    wrong = []
    for owner_id in [each for each in sample if answered.get(each, frozenset()) != sample[each]]:
        if await is_really(search, owners, owner_id, sample[owner_id]):
            wrong.append(owner_id)
        else:
            del sample[owner_id]
    return wrong
