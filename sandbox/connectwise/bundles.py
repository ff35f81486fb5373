"""POST `/system/bundles`: several reads in one request, an answer for each under its sequenceNumber.

Of the names of resources the vendor shows four; which others there are, how many requests a bundle holds, and
what is said to one too many is not known: switches and assumptions. Bundles that write are not served.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.connectwise.access import API_VERSION, check_right
from sandbox.connectwise.errors import FieldFault, VendorError, invalid, no_endpoint, not_found
from sandbox.connectwise.fields import Table, text, whole
from sandbox.connectwise.linked_conditions import linked_condition
from sandbox.connectwise.linking import LinkWriter
from sandbox.connectwise.listing import Listing, shower
from sandbox.connectwise.paging import Address
from sandbox.connectwise.reading import Body
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.searching import filter_values
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.tables import table_of
from sandbox.connectwise.writing import API_MEMBER
from sandbox.switches import Switches

BUNDLES_NAME = "system/bundles"
DOCUMENTED = ("ticket", "company", "member", "purchaseorderlineitem")

# Tickets of both kinds have one sequence of ids, so their configurations are told apart by the ticket.
RESOURCES: Mapping[str, tuple[str, ...]] = {
    "ticket": ("service/tickets",),
    "company": ("company/companies",),
    "member": ("system/members",),
    "purchaseorderlineitem": ("procurement/purchaseorders/lineitems",),
    "projectticket": ("project/tickets",),
    "configuration": ("company/configurations",),
    "contact": ("company/contacts",),
    "agreement": ("finance/agreements",),
    "ticketconfiguration": ("service/tickets/configurations", "project/tickets/configurations"),
    "projectticketconfiguration": ("project/tickets/configurations",),
    "agreementconfiguration": ("finance/agreements/configurations",),
}

REQUEST = frozenset({"sequencenumber", "resourcetype", "version", "apirequest"})
API_REQUEST = frozenset(
    {
        "id", "externalid", "parentid", "grandparentid", "entity", "filters", "page", "fields",
        "miscproperties", "membercontext", "updateonlycesproperties",
    }
)  # fmt: skip
PAGE = frozenset({"page", "pagesize", "pageid"})


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle and what it is answered from; `base` is the API root that links begin with."""

    body: Body
    store: Store
    switches: Switches
    base: str

    def answer(self, *, counts_only: bool) -> Record:
        """Every request's result.

        Raises:
            VendorError: the bundle itself is refused: no such endpoint, not readable, or too many requests.
        """
        results = [self._result(one, counts_only) for one in self._requests()]
        return {"results": results}

    def _requests(self) -> list[Record]:
        limit = self.switches.bundle_limit
        if limit == 0:
            raise no_endpoint()
        whole = self.body.object(self.body.value, frozenset({"requests"}), "BundleRequestsCollection")
        given = whole.get("requests")
        if not isinstance(given, list):
            raise _refused("MissingRequiredField", "The requests field is required.")
        if len(given) > limit:
            raise _refused("OutOfRange", f"A bundle holds at most {limit} requests.")
        return list(self._read(given))

    def _read(self, given: list[Any]) -> Iterator[Record]:
        for index, one in enumerate(given):
            at = f"requests[{index}]"
            request = self.body.object(one, REQUEST, "BundleRequest", at)
            asked = self.body.object(
                request.get("apirequest") or {}, API_REQUEST, "ApiRequest", f"{at}.apiRequest"
            )
            page = self.body.object(asked.get("page") or {}, PAGE, "PageValues", f"{at}.apiRequest.page")
            query = filter_values(self.body, asked.get("filters") or {}, f"{at}.apiRequest.filters")
            query |= {name: str(value) for name, value in page.items() if value}
            query["fields"] = str(asked.get("fields") or "")
            ids = {name: self._id(asked.get(name), f"{at}.apiRequest.{name}") for name in ("id", "parentid")}
            shown = {
                "sequenceNumber": self.body.coerced(
                    whole(), request.get("sequencenumber"), f"{at}.sequenceNumber"
                ),
                "resourceType": self.body.coerced(text(), request.get("resourcetype"), f"{at}.resourceType"),
            }
            yield {"shown": shown, "asked": {**asked, **ids}, "query": query}

    def _id(self, value: Any, at: str) -> int:
        """An id, 0 where none is given."""
        return int(self.body.coerced(whole(), value, at) or 0)

    def _result(self, request: Record, counts_only: bool) -> Record:
        shown = {**request["shown"], "version": API_VERSION}
        try:
            entities, count = self._found(request)
        except VendorError as error:
            refusal = {name: value for name, value in error.body().items() if value is not None}
            failed = {"entities": [], "count": 0, "success": False, "statusCode": error.status}
            return {**shown, **failed, "error": refusal}
        found = {"entities": [] if counts_only else entities, "count": count}
        return {**shown, **found, "success": True, "statusCode": 200}

    def _found(self, request: Record) -> tuple[list[Record], int]:
        asked, query = request["asked"], request["query"]
        if asked.get("entity") is not None:
            raise _refused("InvalidField", "Bundles of this server only read.")
        table = self._table(request["shown"]["resourceType"] or "", asked["parentid"])
        check_right((table.name,), self.switches)
        renderer = Renderer(table, self.store, base=self.base, null_custom=self._null_custom())
        if asked["id"]:
            return [shower(renderer, query, self.switches)(self._single(table, asked))], 1
        listing = self._listing(table, renderer, asked, query)
        page = listing.forward_page if query.get("pageid") else listing.numbered_page
        entities, _ = page(Address("", ()), self.switches)
        return entities, listing.count()["count"]

    def _table(self, resource: str, parent_id: int) -> Table:
        taken = {*DOCUMENTED, *(one.lower() for one in self.switches.bundle_resource_types)}
        names = RESOURCES.get(resource.lower(), ()) if resource.lower() in taken else ()
        if not names:
            raise _refused("InvalidField", f"The resource type {resource} is not supported.")
        tables = [table_of(name) for name in names]
        owned = (one for one in tables if one.links and self.store.get(one.links, parent_id))
        return next(owned, tables[0])

    def _single(self, table: Table, asked: Record) -> Record:
        if table.links:
            return self._links(table, asked).stored(asked["id"])
        found = self.store.get(table.name, asked["id"])
        if found is None:
            raise not_found(table.label, asked["id"])
        return found

    def _listing(self, table: Table, renderer: Renderer, asked: Record, query: Mapping[str, str]) -> Listing:
        if table.links:
            return Listing(table, self.store, query, renderer, records=self._links(table, asked).records())
        beside = linked_condition(table, self.store, self.switches)
        return Listing(table, self.store, query, renderer, beside=beside)

    def _links(self, table: Table, asked: Record) -> LinkWriter:
        return LinkWriter(table, self.store, asked["parentid"], self.switches, by=API_MEMBER)

    def _null_custom(self) -> bool:
        return self.switches.unset_custom_field == "null"


def _refused(code: str, message: str) -> VendorError:
    return invalid("bundleRequestsCollection", [FieldFault(code, message, "requests")])
