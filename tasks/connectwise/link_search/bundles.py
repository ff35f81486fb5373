"""Child collections of many owners in one request (bundles), as large as the server takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from connectors.connectwise.bulk_reads import BundleAnswer
from connectors.connectwise.collection import LARGEST_PAGE
from tasks.connectwise.link_search.search import (
    Links,
    LinkSearch,
    Owners,
    StrategyFailedError,
    contradicted,
    ids_of,
    read_each,
    try_strategy,
)
from tasks.rules.enrichment.query_strategies import StrategyState

_NOT_OFFERED = (403, 404, 405)
_GONE = 404


async def probe_bundles(search: LinkSearch, owners: Owners, sample: Links) -> None:
    """Two reads in one bundle, compared with the child collections; one request.

    Raises:
        StrategyFailedError: the server does not take bundles of two, or not of these, or answers wrongly.
    """
    two = dict(sorted(sample.items(), key=lambda pair: not pair[1])[:2])
    if len(two) < 2:
        raise StrategyFailedError(
            owners.bundle_strategy, StrategyState.FAILED, "there is nothing to compare it with"
        )
    try:
        answers = await _send(search, owners, list(two))
    except StrategyFailedError as error:
        if error.state is StrategyState.REFUSED and search.strategies.bundles.accepted < len(two):
            search.strategies.bundles.refuse(len(two))
        raise
    search.strategies.bundles.take(len(two))
    await _check(search, owners, two, await _joined(search, owners, list(two), answers))
    search.works(owners.bundle_strategy)


async def read_bundles(
    search: LinkSearch, owners: Owners, owner_ids: Sequence[int], sample: Links
) -> AsyncIterator[Links]:
    """The configurations of each owner, bundle by bundle; those gone meanwhile are left out.

    The first bundle carries sampled owners too and is compared with them.

    Raises:
        StrategyFailedError: bundles are refused for another reason than their size, or answered wrongly.
    """
    size = search.strategies.bundles
    checks = dict(sorted(sample.items(), key=lambda pair: not pair[1])[:2])
    left = [*checks, *(each for each in owner_ids if each not in checks)]
    while left:
        now = left[: size.next()]
        try:
            answers = await _send(search, owners, now)
        except StrategyFailedError as error:
            if not _is_for_its_size(error, len(now)):
                raise
            size.refuse(len(now))
            continue
        size.take(len(now))
        links = await _joined(search, owners, now, answers)
        await _check(search, owners, {each: checks[each] for each in now if each in checks}, links)
        left = left[len(now) :]
        yield links


async def _send(search: LinkSearch, owners: Owners, owner_ids: Sequence[int]) -> list[BundleAnswer]:
    items = [owners.item(each) for each in owner_ids]
    return await try_strategy(owners.bundle_strategy, lambda: search.client.bundle(items), search.waiting)


def _is_for_its_size(error: StrategyFailedError, size: int) -> bool:
    status = getattr(error.__cause__, "status", None)
    return size > 1 and error.state is StrategyState.REFUSED and status not in (None, *_NOT_OFFERED)


async def _joined(
    search: LinkSearch, owners: Owners, owner_ids: Sequence[int], answers: Sequence[BundleAnswer]
) -> Links:
    """The answers by owner; what is refused singly or does not fit in a page is read by child collection.

    Raises:
        StrategyFailedError: the server refuses most of the reads: it does not know them.
    """
    links: Links = {}
    again = []
    for owner_id, answer in zip(owner_ids, answers, strict=True):
        if answer.ok and len(answer.entities) < LARGEST_PAGE:
            links[owner_id] = ids_of(answer.entities)
        elif answer.status != _GONE:
            again.append(owner_id)
    refused = [each for each in answers if not each.ok and each.status != _GONE]
    if len(refused) * 2 > len(answers):
        raise StrategyFailedError(owners.bundle_strategy, StrategyState.REFUSED, refused[0].message)
    return links | await read_each(search, owners, again)


async def _check(search: LinkSearch, owners: Owners, sample: Links, links: Links) -> None:
    wrong = await contradicted(search, owners, sample, links)
    if wrong:
        reason = f"{owners.name} {wrong} hold other configurations than their child collections say"
        raise StrategyFailedError(owners.bundle_strategy, StrategyState.WRONG, reason)
