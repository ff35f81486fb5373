"""`/system/reports`: the one report view that joins agreements with configurations.

Its columns are those of a 2015.1 list; that it is still there, takes `in` and pages as lists do is assumed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.connectwise.agreement_tables import (
    AGREEMENT_CONFIGURATIONS,
    AGREEMENT_TYPES_NAME,
    AGREEMENTS_NAME,
)
from sandbox.connectwise.comparing import Access, compiled
from sandbox.connectwise.conditions import ConditionError, parse
from sandbox.connectwise.configuration_tables import TYPES
from sandbox.connectwise.errors import VendorError, bad_condition, no_endpoint
from sandbox.connectwise.fields import Kind
from sandbox.connectwise.paging import Address, numbered, ordered, page_size
from sandbox.connectwise.store import CONFIGURATIONS_NAME, Record, Store
from sandbox.switches import Switches

REPORTS_NAME = "system/reports"
AGREEMENT_REPORT = "ConfigurationAgreement"

Pair = tuple[int, int]
TYPE_WORDS = {Kind.INTEGER: "Numeric", Kind.TEXT: "Text", Kind.MOMENT: "DateTime"}


@dataclass(frozen=True, slots=True)
class Reply:
    """JSON value and Link header of a report's answer."""

    value: Any
    link: str = ""


class AgreementReport:
    """The rows of ConfigurationAgreement: one for each configuration of each agreement."""

    def __init__(self, store: Store) -> None:
        """Rows are read from the store when they are asked for."""
        self._pairs = store.links(AGREEMENT_CONFIGURATIONS.name).pairs
        self._columns = _columns(store)
        self._known = {name.lower(): name for name in self._columns}

    def definitions(self, columns: Iterable[str] | None = None) -> list[Record]:
        """What each column holds."""
        chosen = self._columns if columns is None else columns
        return [
            {
                name: {
                    "type": TYPE_WORDS[self._columns[name].kind],
                    "isNullable": True,
                    "identityColumn": False,
                }
            }
            for name in chosen
        ]

    def found(self, query: Mapping[str, str]) -> list[Pair]:
        """The rows that meet the query's conditions, in its order.

        Raises:
            VendorError: 400 ApiFindCondition.
        """
        pairs, conditions = list(self._pairs()), query.get("conditions", "").strip()
        try:
            if conditions:
                pairs = list(filter(compiled(parse(conditions), self._access), pairs))
            return ordered(pairs, query.get("orderby", ""), lambda path: self._access(path).read)
        except ConditionError as error:
            raise bad_condition(str(error)) from None

    def data(self, query: Mapping[str, str], size: int, address: Address) -> Reply:
        """One page as columns and rows.

        Raises:
            VendorError: 400 ApiFindCondition, also for a column that the report does not have.
        """
        chosen = self._chosen(query.get("columns", ""))
        page, link = numbered(self.found(query), query, size, address)
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
            raise ConditionError(f"{path} is not a recognized name.")
        return self._known[path.lower()]


def report_reply(
    words: list[str], query: Mapping[str, str], address: Address, store: Store, switches: Switches
) -> Reply:
    """The answer to GET of what follows `/system/reports`.

    Raises:
        VendorError: 404 for a report or path that is not there, 400 for a condition.
    """
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
    configurations, kinds = store.collection(CONFIGURATIONS_NAME), store.collection(TYPES)
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
