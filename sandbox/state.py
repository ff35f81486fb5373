"""Whole wire records of a collection, as the vendor would show them: for tests that look inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.connectwise.linking import link_table
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.schema.tables import table_of
from sandbox.field_nation.messages import message_list
from sandbox.field_nation.views import work_order
from sandbox.world import World

FIELD_NATION_ORDERS = "field_nation/work_orders"


def wire_records(world: World, collection: str) -> list[dict[str, Any]]:
    """Every record of a collection, ConnectWise's rendered, Lansweeper's as stored.

    Raises ``KeyError`` for a Lansweeper collection that does not exist; an unknown ConnectWise collection
    is an empty one. Links are shown as pairs: `{"ticketId" or "agreementId", "configurationId"}`.
    """
    if link_table(collection) is not None:
        owner = "agreementId" if collection.startswith("finance/") else "ticketId"
        pairs = world.store.links(collection).pairs()
        return [{owner: one, "configurationId": configuration} for one, configuration in pairs]
    if collection == FIELD_NATION_ORDERS:
        return [
            {**work_order(one), "messages": message_list(one)} for one in world.field_nation.orders.values()
        ]
    records = world.records(collection)
    if collection.startswith("lansweeper/"):
        return list(records.values())
    show = _shower(world, collection)
    return [show(record) for record in records.values()]


def history_of(world: World, collection: str) -> dict[str, Any]:
    """What happened to the records of a collection, each as the vendor would show it now."""
    show = None if collection.startswith("lansweeper/") else _shower(world, collection)
    return world.history.as_json(collection, show)


def _shower(world: World, collection: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    null_custom = world.switches.unset_custom_field == "null"
    return Renderer(table_of(collection), world.store, null_custom=null_custom).record


def count_records(world: World, collection: str, company: int | None = None) -> int:
    """How many records a collection holds, or how many of them belong to one company; none is rendered."""
    records = world.records(collection)
    if company is None:
        return len(records)
    return sum((record.get("company") or {}).get("id") == company for record in records.values())
