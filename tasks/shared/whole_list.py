"""A list of ConnectWise that lacks what is looked for, held against ConnectWise's own count.

An empty list, half of one, or a page that comes twice looks like a whole one. So before anything is created
or refused because a list lacks it, the list is counted, and read once more where it is short.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.errors import StopError
from tasks.shared.progress import run_logger

Record = dict[str, Any]


class ShortListError(StopError):
    """A list has not as many records as the vendor counts, twice: nothing is concluded from what it lacks."""


def different(records: Sequence[Record]) -> int:
    """How many different records a list holds."""
    return len({each.get("id") for each in records})


async def read_to_count(
    words: str,
    records: list[Record],
    count: Callable[[], Awaitable[int]],
    read_again: Callable[[], Awaitable[list[Record]]],
) -> tuple[list[Record], int]:
    """The list, read once more where ConnectWise counts another number, and that number.

    Costs one request where it is whole. ``words``: what it holds, in the plural.
    """
    counted = await count()
    if counted != different(records):
        run_logger().warning(
            "%s: %d read, ConnectWise counts %d; reading again", words, different(records), counted
        )
        records = await read_again()
    return records, counted


async def whole_list(
    words: str,
    records: list[Record],
    count: Callable[[], Awaitable[int]],
    read_again: Callable[[], Awaitable[list[Record]]],
) -> list[Record]:
    """As ``read_to_count``; ShortListError where the number still differs."""
    records, counted = await read_to_count(words, records, count, read_again)
    if counted != different(records):
        raise ShortListError(
            f"{words[0].upper()}{words[1:]}: ConnectWise counts {counted:,} and gave {different(records):,}, "
            "twice, so it is not known which there are",
            remedy="Run it again. If it stays so, see whether the API member's role may see all of them.",
        )
    return records


async def read_custom_fields(client: ConnectWiseClient) -> list[Record]:
    """The custom fields of every screen: one request, since a tenant has some tens of them."""
    return await client.user_defined_fields.list(page=1, page_size=1000)


async def whole_custom_fields(client: ConnectWiseClient, records: list[Record]) -> list[Record]:
    """The list of custom fields that lacks one, once it is known to be whole; ShortListError: it is not."""
    fields = client.user_defined_fields
    return await whole_list("custom fields", records, fields.count, lambda: read_custom_fields(client))
