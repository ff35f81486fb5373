"""One request to a served collection: what it asks for, done and answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from sandbox.connectwise.bulk import BulkCall, answer
from sandbox.connectwise.errors import VendorError, no_endpoint, not_found
from sandbox.connectwise.listing import Listing, shower
from sandbox.connectwise.paging import Address
from sandbox.connectwise.reading import Body
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.routing import Route
from sandbox.connectwise.store import CONFIGURATIONS_NAME, Store
from sandbox.connectwise.writing import Writer, change_type, require_custom_fields
from sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON value (None with 204: no body) and headers."""

    status: int
    value: Any
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body."""
        if self.status == 204:
            return b""
        return json.dumps(self.value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Call:
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
        """Shows this collection's records."""
        null_custom = self.switches.unset_custom_field == "null"
        return Renderer(self.route.table, self.store, base=self.base, null_custom=null_custom)

    def writer(self) -> Writer:
        """Writes this collection's records.

        Raises:
            VendorError: 404, the parent does not exist.
        """
        route = self.route
        if route.parent_id is not None:
            parent = route.table.fields[route.table.parent].target
            if self.store.get(parent, route.parent_id) is None:
                raise not_found(_label(parent), route.parent_id)
        return Writer(route.table, self.store, route.parent_id)

    async def body(self) -> Body:
        """The JSON body.

        Raises:
            VendorError: 415 for another content type, 400 for what is not JSON.
        """
        if "json" not in self.request.headers.get("content-type", "").lower():
            raise VendorError(415, "ConnectWiseApi", "The request's content type must be application/json.")
        try:
            return Body((await self.request.body()).decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise VendorError(400, "ConnectWiseApi", "The body is not UTF-8.") from None


async def answered(call: Call) -> Answer:
    """Do what the request asks.

    Raises:
        VendorError: the request is refused.
    """
    match call.route.ask:
        case "list" if call.request.method == "POST":
            return await _created(call)
        case "list":
            return _listed(call)
        case "count":
            return Answer(200, _listing(call).count())
        case "bulk":
            return await _bulk(call)
        case "changetype":
            return await _type_changed(call)
        case _:
            return await _one(call)


def _listing(call: Call) -> Listing:
    return Listing(call.route.table, call.store, call.query, call.renderer(), call.writer().belongs)


def _listed(call: Call) -> Answer:
    listing = _listing(call)
    if call.request.headers.get("pagination-type", "").strip().lower() == "forward-only":
        page, link = listing.forward_page(call.address, call.switches)
        return Answer(200, page, {"Link": link})
    page, link = listing.numbered_page(call.address, call.switches)
    return Answer(200, page, {"Link": link} if link else {})


async def _created(call: Call) -> Answer:
    body, writer = await call.body(), call.writer()
    members = body.members(call.route.table, body.value)
    show = shower(call.renderer(), call.query, call.switches)
    return Answer(201, show(writer.create(members)))


async def _one(call: Call) -> Answer:
    writer, record_id = call.writer(), call.route.record_id
    match call.request.method:
        case "DELETE":
            writer.delete(record_id)
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
    return Answer(200, shower(call.renderer(), call.query, call.switches)(stored))


async def _type_changed(call: Call) -> Answer:
    writer, body = call.writer(), await call.body()
    shown = call.renderer().record(writer.stored(call.route.record_id))
    stored = change_type(writer, call.route.record_id, body, shown, call.store)
    return Answer(200, call.renderer().record(stored))


async def _bulk(call: Call) -> Answer:
    if not call.switches.bulk_enabled:
        raise no_endpoint()
    fault = call.request.scope.get("sandbox.fault")
    bulk = BulkCall(call.writer(), call.switches, fault, call.bulk_items)
    results = await bulk.run(await call.body(), create=call.request.method == "POST")
    return Answer(207, answer(results, call.switches.bulk_answer, call.renderer().record))


def _label(collection: str) -> str:
    return {"company/companies": "Company", "company/configurations/types": "ConfigurationType"}[collection]
