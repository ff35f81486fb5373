"""Owners of links: agreements, service and project tickets. Their child collections name configurations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.connectwise.bundles import BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.errors import RejectedError
from tasks.enrichment.asking import together
from tasks.enrichment.link_search import LinkSearch
from tasks.rules.ways import Kind, bundle_way
from tasks.synchronization.patience import patiently

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
    def bundle_way(self) -> str:
        return bundle_way(self.name)

    def item(self, owner_id: int) -> BundleItem:
        """The read of one owner's configurations as part of a bundle."""
        return BundleItem(self.resource_type, parent_id=owner_id, fields="id")


def agreements(client: ConnectWiseClient) -> Owners:
    """Agreements."""
    return Owners("agreements", "agreementconfiguration", client.agreement_configurations)


def tickets(client: ConnectWiseClient, kind: Kind) -> Owners:
    """Tickets of one kind; both kinds have one sequence of ids, hence one name in bundles."""
    return Owners(
        f"{kind} tickets", "ticketconfiguration", lambda each: client.ticket_configurations(kind, each)
    )


def ids_of(records: Iterable[dict[str, Any]]) -> frozenset[int]:
    """The configurations that a child collection names; 0 for a record without an id, which fits nothing."""
    return frozenset(int(each.get("id") or 0) for each in records)


async def read_one(search: LinkSearch, owners: Owners, owner_id: int) -> frozenset[int] | None:
    """One owner's configurations by its child collection; None: the owner is gone meanwhile."""
    try:
        return ids_of(await patiently(lambda: owners.child(owner_id), search.waiting))
    except RejectedError as error:
        if error.status != _NOT_FOUND:
            raise
        return None


async def read_each(search: LinkSearch, owners: Owners, owner_ids: Sequence[int]) -> Links:
    """The configurations of each owner by its child collection, a request each; those gone are left out."""

    async def read(owner_id: int) -> tuple[int, frozenset[int] | None]:
        return owner_id, await read_one(search, owners, owner_id)

    pairs = await together(owner_ids, read)
    return {owner_id: held for owner_id, held in pairs if held is not None}


async def is_really(search: LinkSearch, owners: Owners, owner_id: int, held: frozenset[int]) -> bool:
    """Whether the owner still holds just these: tells a wrong answer from a change between two reads."""
    return await read_one(search, owners, owner_id) == held
