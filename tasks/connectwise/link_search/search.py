"""One search for links in one company: the client, the query strategies that work, and the sample.

A strategy may be refused by the server (``try_strategy``): what passes is waited for, a refusal becomes a
``StrategyFailedError``, and the next strategy is taken. The child collections of agreements and of service
and project tickets (``Owners``) always work, one request each; a few of them, the sample, are what every
cheaper strategy's answers are checked against. Child collections of many owners are asked for in one request
(bundles), as large as the server takes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.connectwise.bulk_reads import BundleAnswer, BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import LARGEST_PAGE
from connectors.connectwise.models import TicketKind
from connectors.errors import RejectedError, RetryableError, StopError
from connectors.ledger.store import Ledger
from connectors.shapes import is_digits
from tasks.rules.enrichment.answers import object_members
from tasks.rules.enrichment.query_strategies import (
    QueryStrategies,
    StrategyState,
    bundle_strategy,
    saved_strategies,
)
from tasks.rules.enrichment.ticket_changes import TicketKey
from tasks.shared.concurrency import map_bounded
from tasks.shared.progress import run_logger
from tasks.shared.retry import RetryPolicy, retry

T = TypeVar("T")

AT_ONCE = 8
"""Calls begun at once; the client itself keeps fewer requests in flight."""
_FORBIDDEN = 403
DEFAULT_POLICY = RetryPolicy(patience_seconds=4000)


class StrategyFailedError(Exception):
    """A query strategy can't be used; ``state`` says whether that is worth keeping for later runs."""

    def __init__(self, strategy: str, state: StrategyState, reason: str) -> None:
        super().__init__(f"{strategy}: {reason}")
        self.strategy = strategy
        self.state = state
        self.reason = reason


async def try_strategy(strategy: str, call: Callable[[], Awaitable[T]], waiting: RetryPolicy) -> T:
    """Call as one query strategy asks, which only saves requests: there are others.

    Raises:
        StrategyFailedError: it was refused, or the server broke on it. No answer may well mean that the
            question was too much for the server, so that is no reason to end the run.
        RetryableError: the rate limit is used up for longer than the policy waits.
    """

    async def once() -> T:
        try:
            return await call()
        except RetryableError as error:
            if error.status is not None and error.status >= 500:
                raise StrategyFailedError(strategy, StrategyState.FAILED, str(error)) from error
            raise

    try:
        return await retry(once, waiting)
    except RejectedError as error:
        raise StrategyFailedError(strategy, StrategyState.REFUSED, str(error)) from error
    except StopError as error:
        if error.status != _FORBIDDEN:
            raise
        raise StrategyFailedError(strategy, StrategyState.REFUSED, str(error)) from error
    except RetryableError as error:
        if error.retry_after is not None:
            raise
        raise StrategyFailedError(strategy, StrategyState.FAILED, str(error)) from error


STRATEGIES_ENTRY = "ways"
FOUND_BY = "by"
"""The member of the entry that names the credentials."""


class LinkSearch:
    """One search in one company. ``notes``: what a person should know; ``used``: requests so far.

    ``stamps``: ``lastUpdated`` of the tickets when they were all read.
    """

    def __init__(
        self,
        client: ConnectWiseClient,
        ledger: Ledger,
        company_id: int,
        strategies: QueryStrategies,
        waiting: RetryPolicy,
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.company_id = company_id
        self.strategies = strategies
        self.waiting = waiting
        self.tenant = client.settings.tenant_key
        self.notes: list[str] = []
        self.stamps: Mapping[TicketKey, str] = {}
        self._started_at = client.session.requests

    @classmethod
    async def open(
        cls, client: ConnectWiseClient, ledger: Ledger, company_id: int, waiting: RetryPolicy | None
    ) -> LinkSearch:
        """Begin a search with the strategies that an earlier run found, unless old or of another version."""
        started_at = client.session.requests
        version = await client.newest_version()
        tenant, earlier = client.settings.tenant_key, client.settings.credential_key
        await ledger.state.adopt(tenant, earlier, STRATEGIES_ENTRY)
        known = await ledger.state.get(tenant, STRATEGIES_ENTRY)
        strategies = saved_strategies(known, version, datetime.now(UTC))
        if (known or {}).get(FOUND_BY) not in (None, earlier):
            strategies.forget_refusals()
        search = cls(client, ledger, company_id, strategies, waiting or DEFAULT_POLICY)
        search._started_at = started_at
        return search

    @property
    def used(self) -> int:
        return self.client.session.requests - self._started_at

    def failed(self, error: StrategyFailedError) -> None:
        """Note that a strategy can't be used; it is not chosen again."""
        self.strategies.set(error.strategy, error.state, error.reason)
        self.note(f"{error.strategy} can't be used ({error.state}): {error.reason}")

    def works(self, strategy: str) -> None:
        """Note that a strategy gave a right answer."""
        self.strategies.set(strategy, StrategyState.WORKS)

    def note(self, text: str) -> None:
        self.notes.append(text)
        run_logger().info("%s", text)

    async def save_strategies(self) -> None:
        """Keep what is known for later runs, of this company and others: the server is the same.

        Through other credentials a strategy that works here may be refused, which costs one request then.
        """
        found = self.strategies.as_json() | {FOUND_BY: self.client.settings.credential_key}
        await self.ledger.state.set(self.tenant, STRATEGIES_ENTRY, found)


Links = dict[int, frozenset[int]]
"""Configurations by owner."""
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Owners:
    """One kind of owner. ``resource_type`` is its child collection's name in bundles, which is assumed."""

    name: str
    resource_type: str
    child: Callable[[int], Awaitable[list[dict[str, Any]]]]

    @property
    def bundle_strategy(self) -> str:
        return bundle_strategy(self.name)

    def item(self, owner_id: int) -> BundleItem:
        """The read of one owner's configurations as part of a bundle."""
        return BundleItem(self.resource_type, parent_id=owner_id, fields="id")


def agreements(client: ConnectWiseClient) -> Owners:
    """Agreements."""
    return Owners(
        "agreements", "agreementconfiguration", lambda each: client.agreement_configurations(each).list()
    )


def tickets(client: ConnectWiseClient, kind: TicketKind) -> Owners:
    """Tickets of one kind; both kinds have one sequence of ids, hence one name in bundles."""
    return Owners(
        f"{kind} tickets", "ticketconfiguration", lambda each: client.ticket_configurations(kind, each).list()
    )


def ids_of(records: Iterable[dict[str, Any]]) -> frozenset[int]:
    """The configurations that a child collection names, whose client sees to it that each has an id."""
    return frozenset(int(each["id"]) for each in records)


def _have_ids(records: Iterable[dict[str, Any]]) -> bool:
    """Whether that can be said of the records of a bundle too: nobody has looked at them."""
    return all(type(each.get("id")) is int for each in records)


async def read_one(search: LinkSearch, owners: Owners, owner_id: int) -> frozenset[int] | None:
    """Read one owner's configurations by its child collection; None: the owner is gone meanwhile."""
    try:
        return ids_of(await retry(lambda: owners.child(owner_id), search.waiting))
    except RejectedError as error:
        if error.status != _NOT_FOUND:
            raise
        return None


async def read_each(search: LinkSearch, owners: Owners, owner_ids: Sequence[int]) -> Links:
    """Read each owner's configurations by its child collection, a request each; those gone are left out."""

    async def read(owner_id: int) -> tuple[int, frozenset[int] | None]:
        return owner_id, await read_one(search, owners, owner_id)

    pairs = await map_bounded(owner_ids, read, AT_ONCE, on_error="cancel")
    return {owner_id: held for owner_id, held in pairs if held is not None}


async def is_really(search: LinkSearch, owners: Owners, owner_id: int, held: frozenset[int]) -> bool:
    """Whether the owner still holds just these: tells a wrong answer from a change between two reads."""
    return await read_one(search, owners, owner_id) == held


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
    """The sampled owners for which another answer is wrong; those changed meanwhile leave ``sample``."""
    wrong = []
    for owner_id in [each for each in sample if answered.get(each, frozenset()) != sample[each]]:
        if await is_really(search, owners, owner_id, sample[owner_id]):
            wrong.append(owner_id)
        else:
            del sample[owner_id]
    return wrong


def by_company(configurations: Iterable[dict[str, Any]]) -> dict[int, list[int]]:
    """Ids of the configurations by company, each once; RejectedError: one without an id or a company."""
    found: dict[int, dict[int, None]] = defaultdict(dict)
    for position, record in enumerate(configurations, start=1):
        record_id, company = _id(record), _id(object_members(record.get("company")))
        if record_id is None or company is None:
            raise RejectedError(
                f"Configuration {position} of the payload has no id or no company.id",
                remedy="Give the records as List of Configurations answers them.",
            )
        found[company][record_id] = None
    return {company: list(ids) for company, ids in found.items()}


def _id(record: Mapping[str, Any]) -> int | None:
    found = record.get("id")
    text = found if isinstance(found, str) else str(found) if isinstance(found, int) and found < 2**63 else ""
    return int(text) if is_digits(text) else None


_NOT_OFFERED = (403, 404, 405)


async def probe_bundles(search: LinkSearch, owners: Owners, sample: Links) -> None:
    """Compare two reads in one bundle with the child collections; one request, or StrategyFailedError."""
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

    The first bundle carries sampled owners too and is compared with them. StrategyFailedError: bundles are
    refused for another reason than their size, or answered wrongly.
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
    """The answers by owner; what is refused singly, fills a page or lacks ids is read by child collection."""
    links: Links = {}
    again = []
    for owner_id, answer in zip(owner_ids, answers, strict=True):
        if answer.ok and len(answer.entities) < LARGEST_PAGE and _have_ids(answer.entities):
            links[owner_id] = ids_of(answer.entities)
        elif answer.status != _NOT_FOUND:
            again.append(owner_id)
    refused = [each for each in answers if not each.ok and each.status != _NOT_FOUND]
    if len(refused) * 2 > len(answers):
        raise StrategyFailedError(owners.bundle_strategy, StrategyState.REFUSED, refused[0].message)
    return links | await read_each(search, owners, again)


async def _check(search: LinkSearch, owners: Owners, sample: Links, links: Links) -> None:
    wrong = await contradicted(search, owners, sample, links)
    if wrong:
        reason = f"{owners.name} {wrong} hold other configurations than their child collections say"
        raise StrategyFailedError(owners.bundle_strategy, StrategyState.WRONG, reason)
