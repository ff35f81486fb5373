"""Many records in one request: `/system/bundles` and the report ConfigurationAgreement; and `/system/info`.

A bundle holds several reads, with an answer for each under its sequenceNumber. Of the names of resources the
vendor shows four; which others there are, how many requests a bundle holds, and what is said to one too many
is not known: switches and assumptions. Bundles that write are not served. The report joins agreements with
configurations. Its columns are those of a 2015.1 list; that it is still there, takes `in` and pages as lists
do is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from sandbox.connectwise.access import API_VERSION, check_right, system_info
from sandbox.connectwise.answers import Answer, read_body
from sandbox.connectwise.body import Body
from sandbox.connectwise.callbacks import KEY_WORDS
from sandbox.connectwise.condition_paths import linked_condition, unknown_name
from sandbox.connectwise.conditions import Access, ConditionError, compile_condition, parse
from sandbox.connectwise.errors import (
    FieldError,
    VendorError,
    bad_condition,
    invalid,
    no_endpoint,
    not_allowed,
    not_found,
)
from sandbox.connectwise.links import LinkWriter
from sandbox.connectwise.reads import (
    Address,
    Listing,
    filter_values,
    page_by_number,
    page_size,
    presenter,
    sort_records,
)
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.schema.company import CONFIGURATION_TYPES_NAME, CONFIGURATIONS_NAME
from sandbox.connectwise.schema.fields import Kind, Table, text, whole
from sandbox.connectwise.schema.finance import AGREEMENT_CONFIGURATIONS, AGREEMENT_TYPES_NAME, AGREEMENTS_NAME
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.writes import API_MEMBER
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
REPORTS_NAME = "system/reports"
AGREEMENT_REPORT = "ConfigurationAgreement"
Pair = tuple[int, int]
TYPE_WORDS = {Kind.INTEGER: "Numeric", Kind.TEXT: "Text", Kind.MOMENT: "DateTime"}


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle and what it is answered from; `base` is the API root that links begin with."""

    body: Body
    store: Store
    switches: Switches
    base: str

    def answer(self, *, counts_only: bool) -> Record:
        """Every request's result; VendorError: no such endpoint, an unreadable bundle, too many requests."""
        return {"results": [self._result(one, counts_only) for one in self._requests()]}

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
            ids = {
                name: int(self.body.coerced(whole(), asked.get(name), f"{at}.apiRequest.{name}") or 0)
                for name in ("id", "parentid")
            }
            shown = {
                "sequenceNumber": self.body.coerced(
                    whole(), request.get("sequencenumber"), f"{at}.sequenceNumber"
                ),
                "resourceType": self.body.coerced(text(), request.get("resourcetype"), f"{at}.resourceType"),
            }
            yield {"shown": shown, "asked": {**asked, **ids}, "query": query}

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
        renderer = Renderer(
            table, self.store, base=self.base, null_custom=self.switches.unset_custom_field == "null"
        )
        if asked["id"]:
            return [presenter(renderer, query, self.switches)(self._single(table, asked))], 1
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
        extra_names = linked_condition(table, self.store, self.switches)
        return Listing(table, self.store, query, renderer, extra_names=extra_names)

    def _links(self, table: Table, asked: Record) -> LinkWriter:
        return LinkWriter(table, self.store, asked["parentid"], self.switches, by=API_MEMBER)


def _refused(code: str, message: str) -> VendorError:
    return invalid("bundleRequestsCollection", [FieldError(code, message, "requests")])


@dataclass(frozen=True, slots=True)
class Reply:
    """JSON value and Link header of a report's answer."""

    value: Any
    link: str = ""


class AgreementReport:
    """The rows of ConfigurationAgreement: one for each configuration of each agreement."""

    def __init__(self, store: Store) -> None:
        self._pairs = store.links(AGREEMENT_CONFIGURATIONS.name).pairs
        self._columns = _columns(store)
        self._known = {name.lower(): name for name in self._columns}

    def definitions(self, columns: Iterable[str] | None = None) -> list[Record]:
        chosen = self._columns if columns is None else columns
        always = {"isNullable": True, "identityColumn": False}
        return [{name: {"type": TYPE_WORDS[self._columns[name].kind], **always}} for name in chosen]

    def found(self, query: Mapping[str, str]) -> list[Pair]:
        """The rows that meet the query's conditions, in its order; VendorError 400 ApiFindCondition."""
        pairs, conditions = list(self._pairs()), query.get("conditions", "").strip()
        try:
            if conditions:
                pairs = list(filter(compile_condition(parse(conditions), self._access), pairs))
            return sort_records(pairs, query.get("orderby", ""), lambda path: self._access(path).read)
        except ConditionError as error:
            raise bad_condition(str(error)) from None

    def data(self, query: Mapping[str, str], size: int, address: Address) -> Reply:
        """One page as columns and rows; VendorError 400 ApiFindCondition, also for an unknown column."""
        chosen = self._chosen(query.get("columns", ""))
        page, link = page_by_number(self.found(query), query, size, address)
        readers = [self._columns[name].read for name in chosen]
        rows = [[read(pair) for read in readers] for pair in page]
        return Reply({"column_definitions": self.definitions(chosen), "row_values": rows}, link)

    def _chosen(self, columns: str) -> list[str]:
        wanted = [part.strip() for part in columns.split(",") if part.strip()]
        try:
            return [self._name(one) for one in wanted] or list(self._columns)
        except ConditionError as error:
            raise bad_condition(str(error)) from None

    def _access(self, path: str) -> Access:
        return self._columns[self._name(path)]

    def _name(self, path: str) -> str:
        if path.lower() not in self._known:
            raise unknown_name(path)
        return self._known[path.lower()]


def report_reply(
    words: list[str], query: Mapping[str, str], address: Address, store: Store, switches: Switches
) -> Reply:
    """The answer to GET below `/system/reports`; VendorError 404: not there, 400: a wrong condition."""
    report = AgreementReport(store)
    match [word.lower() for word in words]:
        case []:
            return Reply([{"name": AGREEMENT_REPORT}] if switches.agreement_report else [])
        case [name, *_] if name != AGREEMENT_REPORT.lower() or not switches.agreement_report:
            raise VendorError(404, "NotFound", f"Report {words[0]} not found")
        case [_]:
            return report.data(query, page_size(query, switches.page_size_over_limit), address)
        case [_, "columns"]:
            return Reply(report.definitions())
        case [_, "count"]:
            return Reply({"count": len(report.found(query))})
    raise no_endpoint()


def _columns(store: Store) -> dict[str, Access]:
    agreements, types = store.collection(AGREEMENTS_NAME), store.collection(AGREEMENT_TYPES_NAME)
    configurations, kinds = store.collection(CONFIGURATIONS_NAME), store.collection(CONFIGURATION_TYPES_NAME)
    companies = store.collection("company/companies")

    def agreement(read: Callable[[Record], Any]) -> Callable[[Pair], Any]:
        return lambda pair: read(agreements[pair[0]])

    def configuration(read: Callable[[Record], Any]) -> Callable[[Pair], Any]:
        return lambda pair: read(configurations[pair[1]])

    def id_of(record: Record, member: str) -> int:
        return int(record.get(member, {}).get("id", 0))

    def named(records: dict[int, Record], record: Record, member: str, name: str = "name") -> Any:
        return records.get(id_of(record, member), {}).get(name)

    return {
        "AgreementRecId": Access(Kind.INTEGER, lambda pair: pair[0]),
        "AgreementName": Access(Kind.TEXT, agreement(lambda one: one.get("name"))),
        "AgreementType": Access(Kind.TEXT, agreement(lambda one: named(types, one, "type"))),
        "AgrTypeRecId": Access(Kind.INTEGER, agreement(lambda one: id_of(one, "type"))),
        "CompanyRecId": Access(Kind.INTEGER, agreement(lambda one: id_of(one, "company"))),
        "CompanyId": Access(Kind.TEXT, agreement(lambda one: named(companies, one, "company", "identifier"))),
        "CompanyName": Access(Kind.TEXT, agreement(lambda one: named(companies, one, "company"))),
        "ConfigurationRecId": Access(Kind.INTEGER, lambda pair: pair[1]),
        "ConfigurationName": Access(Kind.TEXT, configuration(lambda one: one.get("name"))),
        "ConfigurationType": Access(Kind.TEXT, configuration(lambda one: named(kinds, one, "type"))),
        "ConfigurationTypeRecId": Access(Kind.INTEGER, configuration(lambda one: id_of(one, "type"))),
        "Last_Update": Access(Kind.MOMENT, agreement(lambda one: one["_info"]["lastUpdated"])),
    }


async def system_answer(
    request: Request, words: list[str], address: Address, base: str, store: Store, switches: Switches
) -> Answer | None:
    """The answer if the path's words name one of these, otherwise None. `base` is the API root."""
    match [word.lower() for word in words]:
        case ["system", "info"] if request.method == "GET":
            return Answer(200, system_info())
        case ["system", "reports", *_]:
            check_right((REPORTS_NAME,), switches)
            _require("GET", request)
            query = {name.lower(): value for name, value in address.query}
            reply = report_reply(words[2:], query, address, store, switches)
            return Answer(200, reply.value, {"Link": reply.link} if reply.link else {})
        case ["system", "bundles", *rest]:
            check_right((BUNDLES_NAME,), switches)
            return await _bundle(request, rest, base, store, switches)
    return None


def signing_key(words: list[str], store: Store) -> str | None:
    """The text of the signing key that the path's words name, None for every other path."""
    lower = tuple(word.lower() for word in words)
    return store.keys.text(lower[-1]) if lower[:-1] == KEY_WORDS else None


async def _bundle(request: Request, rest: list[str], base: str, store: Store, switches: Switches) -> Answer:
    if rest not in ([], ["count"]):
        raise no_endpoint()
    _require("POST", request)
    bundle = Bundle(await read_body(request), store, switches, base)
    return Answer(200, bundle.answer(counts_only=rest == ["count"]))


def _require(method: str, request: Request) -> None:
    if request.method != method:
        raise not_allowed(request.method)
