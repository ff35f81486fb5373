"""The answer to one request to a served collection: list, count, search, one record, bulk, change of type.

A path (in any case) and a method lead to a collection, its parent and what is asked of it (``Route``).
Bulk creation and replacement, `/company/configurations/bulk`, is not atomic: each item is checked and written
by itself, one result for each record, status 207. How the answer looks is a switch, as the vendor's
description contradicts itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.requests import Request

from sandbox.connectwise.body import Body
from sandbox.connectwise.condition_paths import linked_condition
from sandbox.connectwise.errors import (
    VendorError,
    invalid,
    missing,
    no_endpoint,
    not_allowed,
    not_found,
)
from sandbox.connectwise.links import LinkWriter
from sandbox.connectwise.merging import merge_tickets
from sandbox.connectwise.reads import Address, Listing, presenter, search_query
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.schema.boards import BOARD_STATUSES_NAME
from sandbox.connectwise.schema.company import CONFIGURATIONS_NAME
from sandbox.connectwise.schema.fields import Field, Kind, Table, ref
from sandbox.connectwise.schema.service import SERVICE_TICKETS_NAME
from sandbox.connectwise.schema.tables import SERVED, table_of
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.writes import (
    API_MEMBER,
    Writer,
    all_notes,
    change_type,
    move_owner,
    require_custom_fields,
)
from sandbox.requests import encode, is_json, is_number
from sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON value (None with 204: no body) and headers."""

    status: int
    value: Any
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return b"" if self.status == 204 else encode(self.value)


@dataclass(frozen=True, slots=True)
class CollectionCall:
    """A request with what it is answered from; `bulk_items` counts bulk items over all calls."""

    request: Request
    route: Route
    store: Store
    switches: Switches
    address: Address
    base: str
    bulk_items: list[int]

    @property
    def query(self) -> Mapping[str, str]:
        """The query's values by lower-case name."""
        return {name.lower(): value for name, value in self.address.query}

    def renderer(self) -> Renderer:
        null_custom = self.switches.unset_custom_field == "null"
        return Renderer(self.route.table, self.store, base=self.base, null_custom=null_custom)

    def writer(self) -> Writer:
        """Writes this collection's records; VendorError 404 where the parent does not exist."""
        route = self.route
        if route.parent_id is not None:
            parent = route.table.parent_target
            if self.store.get(parent, route.parent_id) is None:
                raise not_found(table_of(parent).label, route.parent_id)
        return Writer(route.table, self.store, route.parent_id)

    def links(self) -> LinkWriter:
        """Reads and writes the configurations of this path's parent; VendorError 404 where there is none."""
        route = self.route
        return LinkWriter(route.table, self.store, route.parent_id or 0, self.switches, by=API_MEMBER)

    def presenter(self) -> Callable[[Record], Record]:
        return presenter(self.renderer(), self.query, self.switches)

    async def body(self) -> Body:
        return await read_body(self.request)


async def read_body(request: Request) -> Body:
    """A request's JSON body; VendorError: 415 for another content type, 400 for what is not JSON."""
    if not is_json(request.headers):
        message = "The request's content type must be application/json in UTF-8, not packed."
        raise VendorError(415, "ConnectWiseApi", message)
    try:
        return Body((await request.body()).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise VendorError(400, "ConnectWiseApi", "The body is not UTF-8.") from None


async def answer_call(call: CollectionCall) -> Answer:
    """Do what the request asks; VendorError: the request is refused."""
    match call.route.ask:
        case "list" | "one" if call.route.table.links and call.request.method != "GET":
            return await _linked(call)
        case "search":
            if not call.switches.ticket_search:
                raise no_endpoint()
            return _page(call, _listing(call, {**call.query, **search_query(await call.body())}))
        case "list" if call.request.method == "POST":
            return await _created(call)
        case "list":
            return _page(call, _listing(call))
        case "count":
            return Answer(200, _listing(call).count())
        case "bulk":
            return await _bulk(call)
        case "changetype":
            return await _type_changed(call)
        case "merge":
            return await _merged(call)
        case _:
            return await _one(call)


def _listing(call: CollectionCall, query: Mapping[str, str] | None = None) -> Listing:
    table, asked = call.route.table, call.query if query is None else query
    if table.links:
        return Listing(table, call.store, asked, call.renderer(), records=call.links().records())
    if table.gathered:
        belongs = call.writer().belongs  # Refuses a ticket that is not there.
        records = all_notes(call.store, table, call.route.parent_id or 0)
        return Listing(table, call.store, asked, call.renderer(), belongs, records=records)
    extra_names = linked_condition(table, call.store, call.switches)
    belongs, others = call.writer().belongs, call.store.collection(table.of) if table.of else None
    return Listing(
        table, call.store, asked, call.renderer(), belongs, records=others, extra_names=extra_names
    )


def _page(call: CollectionCall, listing: Listing) -> Answer:
    if call.request.headers.get("pagination-type", "").strip().lower() == "forward-only":
        page, link = listing.forward_page(call.address, call.switches)
        _note_reads(call, page)
        return Answer(200, page, {"Link": link})
    page, link = listing.numbered_page(call.address, call.switches)
    _note_reads(call, page)
    return Answer(200, page, {"Link": link} if link else {})


def _note_reads(call: CollectionCall, page: list[Record]) -> None:
    if not call.query.get("fields", "").strip():
        ids = [int(one["id"]) for one in page if "id" in one]
        call.store.history.note_reads(call.route.table.name, ids, API_MEMBER)


async def _created(call: CollectionCall) -> Answer:
    body, writer = await call.body(), call.writer()
    members = body.members(call.route.table, body.value)
    stored = writer.create(members)
    _move_owner(call, stored)
    return Answer(201, call.presenter()(stored))


async def _linked(call: CollectionCall) -> Answer:
    links = call.links()
    if call.request.method == "DELETE":
        links.delete(call.route.record_id)
        return Answer(204, None)
    return Answer(201, call.presenter()(links.create(await call.body())))


async def _one(call: CollectionCall) -> Answer:
    if call.route.table.links:
        return Answer(200, call.presenter()(call.links().stored(call.route.record_id)))
    writer, record_id = call.writer(), call.route.record_id
    match call.request.method:
        case "DELETE":
            gone = writer.stored(record_id)
            writer.delete(record_id)
            _move_owner(call, gone)
            return Answer(204, None)
        case "PUT":
            body = await call.body()
            stored = writer.replace(record_id, body.members(call.route.table, body.value))
        case "PATCH":
            stored = writer.stored(record_id)
            body = await call.body()
            if call.switches.patch_requires_custom_fields and call.route.table.name == CONFIGURATIONS_NAME:
                require_custom_fields(writer, body, call.store)
            stored = writer.patch(record_id, body, call.renderer().record(stored))
        case _:
            stored = writer.stored(record_id)
            _note_reads(call, [stored])
    if call.request.method != "GET":
        _move_owner(call, stored)
    return Answer(200, call.presenter()(stored))


def _move_owner(call: CollectionCall, record: Record) -> None:
    moves = call.switches.note_moves_last_updated
    move_owner(call.store, call.route.table, record, notes_move=moves, by=API_MEMBER)


async def _type_changed(call: CollectionCall) -> Answer:
    writer, body = call.writer(), await call.body()
    shown = call.renderer().record(writer.stored(call.route.record_id))
    stored = change_type(writer, call.route.record_id, body, shown, call.store)
    return Answer(200, call.renderer().record(stored))


async def _merged(call: CollectionCall) -> Answer:
    body, store = await call.body(), call.store
    given = body.object(body.value, _MERGE, "TicketMerge")
    children = body.coerced(Field(Kind.INTEGERS), given.get("mergeticketids"), "mergeTicketIds")
    status = body.coerced(ref(BOARD_STATUSES_NAME), given.get("status"), "status")
    required = (("mergeTicketIds", children), ("status", status))
    if not all(one for _, one in required):
        raise invalid("ticketMerge", [missing(name) for name, one in required if not one])
    parent = call.route.record_id
    merge_tickets(store, call.route.table.name, parent, children, status.get("id"), by=API_MEMBER)
    return Answer(200, {"success": True})


async def _bulk(call: CollectionCall) -> Answer:
    if not call.switches.bulk_enabled:
        raise no_endpoint()
    fault = call.request.scope.get("sandbox.fault")
    bulk = BulkCall(call.writer(), call.switches, fault, call.bulk_items)
    results = await bulk.run(await call.body(), create=call.request.method == "POST")
    return Answer(207, bulk_answer(results, call.switches.bulk_answer, call.renderer().record))


_MERGE = frozenset({"mergeticketids", "status"})
Fault = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item: the stored record, or the refusal."""

    status: int
    record: Record | None = None
    error: VendorError | None = None


class BulkCall:
    """One bulk request; `fault` is the sandbox's fault for it (partial refusals, slow commits)."""

    def __init__(self, writer: Writer, switches: Switches, fault: Fault | None, counter: list[int]) -> None:
        """`counter` counts bulk items over all calls, so that a share of them is refused evenly."""
        self._writer = writer
        self._switches = switches
        self._fault = fault or {}
        self._counter = counter

    async def run(self, body: Body, *, create: bool) -> list[Result]:
        """Write one after another; VendorError, with nothing written: no array of records, or too many."""
        if not isinstance(body.value, list):
            raise VendorError(400, "InvalidObject", "The body must be an array of configurations.")
        limit = self._switches.bulk_limit
        if limit is not None and len(body.value) > limit:
            raise VendorError(400, "InvalidObject", f"A bulk request holds at most {limit} records.")
        table = self._writer.table
        read = [body.members(table, one, f"[{index}]") for index, one in enumerate(body.value)]
        write = self._create if create else self._replace
        results: list[Result] = []
        for index, members in enumerate(read):
            if self._fault.get("item_interval") and index:
                await anyio.sleep(float(self._fault["item_interval"]))
            results.append(self._result(index, members, write))
        return results

    def _result(self, index: int, members: Record, write: Callable[[Record], Result]) -> Result:
        try:
            if self._is_refused(index):
                code = str(self._fault.get("code", "InvalidObject"))
                message = str(self._fault.get("message", "configuration object is invalid"))
                raise VendorError(int(self._fault.get("status", 400)), code, message)
            return write(members)
        except VendorError as error:
            return Result(error.status, error=error)

    def _create(self, members: Record) -> Result:
        members.pop("id", None)
        return Result(201, self._writer.create(members))

    def _replace(self, members: Record) -> Result:
        record_id = members.pop("id", None)
        if record_id is None:
            raise invalid(self._writer.table.resource, [missing("id")])
        return Result(200, self._writer.replace(record_id, members, self._switches.bulk_put_resets))

    def _is_refused(self, index: int) -> bool:
        if self._fault.get("kind") != "partial":
            return False
        if "indexes" in self._fault:
            return index in self._fault["indexes"]
        share = float(self._fault.get("share", 0))
        self._counter[0] += 1
        return int(self._counter[0] * share) > int((self._counter[0] - 1) * share)


def bulk_answer(results: list[Result], shape: str, show: Callable[[Record], Record]) -> Any:
    """The answer's JSON: BulkResult, its items as a bare array, or records (one alone, several as array)."""
    if shape == "record":
        records = [one.error.body() if one.error else show(one.record or {}) for one in results]
        return records[0] if len(records) == 1 else records
    items = [_item(index, one) for index, one in enumerate(results)]
    return items if shape == "array" else {"payload": items}


def _item(index: int, result: Result) -> Record:
    item: Record = {"success": result.error is None, "originalIndex": index, "statusCode": result.status}
    if result.error is not None:
        body = result.error.body()
        item["error"] = {name: value for name, value in body.items() if value is not None}
    else:
        item["data"] = {"id": (result.record or {})["id"]}
    return item


VERBS = {
    ("GET", "list"): "list",
    ("POST", "list"): "create",
    ("GET", "count"): "list",
    ("GET", "one"): "get",
    ("PUT", "one"): "replace",
    ("PATCH", "one"): "patch",
    ("DELETE", "one"): "delete",
    ("POST", "search"): "list",
    ("POST", "bulk"): "create",
    ("PUT", "bulk"): "replace",
    ("PATCH", "changetype"): "patch",
    ("POST", "merge"): "patch",
}


@dataclass(frozen=True, slots=True)
class Route:
    """What a path names: `ask` is list, count, one, search, bulk, changetype or merge."""

    table: Table
    ask: str
    parent_id: int | None = None
    record_id: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which a right to it can be refused."""
        name = self.table.name
        return (name, f"{name}/bulk") if self.ask == "bulk" else (name,)


def _patterns() -> dict[str, list[tuple[Table, list[str]]]]:
    """The words of every route by the first of them: most collections need not be looked at."""
    found: dict[str, list[tuple[Table, list[str]]]] = {}
    for table in SERVED:
        pattern = table.route.strip("/").lower().split("/")
        found.setdefault(pattern[0], []).append((table, pattern))
    return found


_PATTERNS = _patterns()


def codebase_and_rest(path: str) -> tuple[str, list[str]] | None:
    """`/v4_6_release/apis/3.0/company/...` as code base and the words after it; None for other paths."""
    words = [word for word in path.split("/") if word]
    if len(words) < 3 or [word.lower() for word in words[1:3]] != ["apis", "3.0"]:
        return None
    return words[0], words[3:]


def route(method: str, words: list[str]) -> Route:
    """The route of the words after the API root; VendorError 404: not served, 405: not by this method."""
    lowered = [word.lower() for word in words]
    for table, pattern in _PATTERNS.get(lowered[0], ()):
        found = _match(table, pattern, lowered)
        if found is not None:
            if VERBS.get((method, found.ask)) not in found.table.verbs:
                raise not_allowed(
                    method,
                    [one for one, ask in VERBS if ask == found.ask and VERBS[one, ask] in found.table.verbs],
                )
            return found
    raise no_endpoint()


def _match(table: Table, pattern: list[str], words: list[str]) -> Route | None:
    head, rest = words[: len(pattern)], words[len(pattern) :]
    if len(head) < len(pattern):
        return None
    parent_id: int | None = None
    for wanted, word in zip(pattern, head, strict=True):
        if wanted == "{parentid}" and is_number(word):
            parent_id = int(word)
        elif wanted != word:
            return None
    return _asked(table, parent_id, rest)


def _asked(table: Table, parent_id: int | None, rest: list[str]) -> Route | None:
    is_configuration = table.name == CONFIGURATIONS_NAME
    match rest:
        case []:
            return Route(table, "list", parent_id)
        case _ if table.gathered:
            return None
        case ["count"]:
            return Route(table, "count", parent_id)
        case ["search"] if table.searchable:
            return Route(table, "search", parent_id)
        case ["bulk"] if is_configuration:
            return Route(table, "bulk", parent_id)
        case [word] if is_number(word) and "get" in table.verbs:
            return Route(table, "one", parent_id, int(word))
        case [word, "changetype"] if is_configuration and is_number(word):
            return Route(table, "changetype", parent_id, int(word))
        case [word, "merge"] if table.name == SERVICE_TICKETS_NAME and is_number(word):
            return Route(table, "merge", parent_id, int(word))
    return None
