"""Edits by a person around the integration: through control, or by a fault around a request."""

from __future__ import annotations

import random
import re
from typing import Any

from sandbox.connectwise.errors import VendorError
from sandbox.connectwise.links import LinkWriter, link_table
from sandbox.connectwise.merging import MERGEABLE, merge_companies, merge_tickets, move_configurations
from sandbox.connectwise.schema.company import COMPANIES_NAME, CONFIGURATIONS_NAME
from sandbox.connectwise.schema.fields import Table
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.writes import move_owner, remove
from sandbox.lansweeper.store import SEEN, UPDATED
from sandbox.requests import Call
from sandbox.world import LANSWEEPER_ASSETS, World

PERSON = "a person"
_ID_IN = re.compile(r"\bid in \(([\d,]+)\)", re.IGNORECASE)
_LAST_NUMBER = re.compile(r"/(\d+)(?:/changetype)?$", re.IGNORECASE)


def edit(world: World, collection: str, record_id: int | str, changes: dict[str, Any]) -> None:
    """Change members of one record; ``lastUpdated`` moves. KeyError: no record, ValueError: no such member.

    ConnectWise: wire members, null removes. A child collection of configurations takes the owner's id and
    ``{"configurationIds": [...]}``. Lansweeper assets: dotted paths or nested objects, null removes; as an
    edit by hand it moves ``lastUpdated`` and not ``lastSeen``, unless it names one of them.
    """
    links = link_table(collection)
    if links is not None:
        _set_links(world, links, int(record_id), changes["configurationIds"])
    elif collection.startswith("lansweeper/"):
        record = world.records(collection)[str(record_id)]
        _lay_over(record, changes)
        if collection == LANSWEEPER_ASSETS and not _names_dates(changes):
            world.lansweeper.edited(str(record_id), by=PERSON)
        world.lansweeper.touch()
    else:
        world.store.edit(collection, int(record_id), changes, by=PERSON)


def _names_dates(changes: dict[str, Any]) -> bool:
    """Whether an edit says itself when the asset was changed or seen, or spoils the section that says it."""
    basic = changes.get("assetBasicInfo", {})
    named = {name.removeprefix("assetBasicInfo.") for name in changes}
    return not isinstance(basic, dict) or bool({SEEN, UPDATED} & (named | basic.keys()))


def _set_links(world: World, table: Table, owner_id: int, configuration_ids: list[int]) -> None:
    missing = set(configuration_ids) - set(world.records(CONFIGURATIONS_NAME))
    if missing:
        raise ValueError(f"no such configurations: {sorted(missing)}")
    if owner_id not in world.records(table.links):
        raise KeyError(owner_id)
    LinkWriter(table, world.store, owner_id, world.switches, by=PERSON).set_to(configuration_ids)


def add(world: World, collection: str, record: dict[str, Any]) -> int:
    """Add a ConnectWise record from its wire members, unvalidated; its id. ValueError: no such member.

    A note of a ticket (`ticketId`) counts as a change of the ticket, where the switch says so.
    """
    table, stored = table_of(collection), world.store.insert(collection, record, by=PERSON)
    moves = world.switches.note_moves_last_updated
    move_owner(world.store, table, stored, notes_move=moves, by=PERSON)
    return int(stored["id"])


def delete(world: World, collection: str, record_id: int | str) -> None:
    """Remove one record and its notes, as a person would. Nothing happens if it is gone already."""
    if collection == LANSWEEPER_ASSETS:
        world.lansweeper.remove(str(record_id))
        return
    remove(collection, int(record_id), world.store, by=PERSON)


def merge(world: World, collection: str, into: int, record_ids: list[int], status: int | None = None) -> None:
    """Merge tickets into a ticket, or companies into a company; a ticket may be told its closing status.

    Raises:
        ValueError: another collection, no such ticket or status, or one that is merged into itself.
        KeyError: no such company.
    """
    if collection == COMPANIES_NAME:
        merge_companies(world.store, into, record_ids, by=PERSON)
        return
    if collection not in MERGEABLE:
        raise ValueError(f"{collection} can't be merged; {', '.join((COMPANIES_NAME, *MERGEABLE))} can")
    try:
        merge_tickets(world.store, collection, into, record_ids, status, by=PERSON)
    except VendorError as error:
        raise ValueError(error.message, error.errors) from None


def move(world: World, to: int, moved: dict[str, Any]) -> list[int]:
    """Give configurations to company ``to``: those of ``ids``, or a share of those of company ``from``.

    Returns:
        Their ids. KeyError: no such company or configuration.
    """
    configurations = world.records(CONFIGURATIONS_NAME)
    if "ids" in moved:
        chosen = [int(one) for one in moved["ids"]]
    else:
        owner = {"id": int(moved["from"])}
        own = [number for number, one in configurations.items() if one.get("company") == owner]
        draw = random.Random(f"{world.seed}-move-{world.edits}")
        chosen = sorted(draw.sample(own, round(len(own) * float(moved.get("share", 1)))))
    world.edits += 1
    move_configurations(world.store, chosen, to, by=PERSON)
    return chosen


def apply_edit(world: World, fault: dict[str, Any], call: Call) -> None:
    """Carry out an ``edit`` fault: on ``ids``, on records like ``where``, or on those of the request.

    ``merge`` and ``move`` take what the control addresses of these names take, and no such choice.

    ``body_ids``: every record of the request's body; ``of_batch`` n: up to n of the records that the request
    is about, by its body, its ``id in (...)`` or its path, drawn from the seed. ``where`` is compared with
    the stored record, in which a reference is just ``{"id": n}``. Records that are gone are passed over.
    ``{n}`` in a text of ``set`` becomes the number of the edit, so that each sets a value of its own.
    """
    collection = fault["collection"]
    if "merge" in fault:
        joined = fault["merge"]
        merge(world, collection, int(joined["id"]), joined["ids"], joined.get("status"))
        return
    if "move" in fault:
        move(world, int(fault["move"]["to"]), fault["move"])
        return
    links = link_table(collection)
    known = world.records(links.links if links else collection)
    for record_id in _targets(world, fault, call):
        if record_id not in known:
            continue
        world.edits += 1
        if fault.get("delete"):
            delete(world, collection, record_id)
        else:
            edit(world, collection, record_id, _numbered(fault["set"], world.edits))


def _targets(world: World, fault: dict[str, Any], call: Call) -> list[int | str]:
    if "ids" in fault:
        return list(fault["ids"])
    if fault.get("body_ids"):
        return list(_body_ids(call.body))
    if "of_batch" in fault:
        ids, draw = _batch_ids(call), random.Random(f"{world.seed}-edit-{world.edits}")
        return list(draw.sample(ids, min(int(fault["of_batch"]), len(ids))))
    records = world.records(fault["collection"])
    return [key for key, record in records.items() if _is_like(record, fault.get("where", {}))]


def _body_ids(body: Any) -> list[int]:
    items = body if isinstance(body, list) else [body]
    return [item["id"] for item in items if isinstance(item, dict) and "id" in item]


def _batch_ids(call: Call) -> list[int]:
    found = _ID_IN.search(call.query)
    named = _LAST_NUMBER.search(call.paths[0])
    if found:
        return [int(each) for each in found[1].split(",")]
    return [int(named[1])] if named else _body_ids(call.body)


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {name: _numbered(each, number) for name, each in value.items()}
    return [_numbered(each, number) for each in value] if isinstance(value, list) else value


def _is_like(record: Any, wanted: Any) -> bool:
    """Whether every member of ``wanted`` is in the record with the same value, objects member by member."""
    if not isinstance(wanted, dict):
        return bool(record == wanted)
    return isinstance(record, dict) and all(
        _is_like(record.get(name), value) for name, value in wanted.items()
    )


def _lay_over(record: dict[str, Any], changes: dict[str, Any]) -> None:
    """Replace sections rather than change them in place: assets share them."""
    for name, value in changes.items():
        head, _, rest = name.partition(".")
        if rest:
            value = {rest: value}
        if isinstance(value, dict):
            section = dict(record.get(head) or {})
            _lay_over(section, value)
            record[head] = section
        else:
            record[head] = value
