"""What the names in conditions, childConditions, customFieldConditions and orderBy stand for.

`configuration/id` in the conditions of tickets is a name that no vendor's page mentions. Seen on a 2026.3
server: `configuration/id=N` on service tickets works; the plural name is refused, and so are several joined
by OR. Whether `in` works and whether project tickets know the name is open: two switches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from sandbox.connectwise.conditions import (
    Access,
    ConditionError,
    Expression,
    Group,
    Term,
    Test,
    compile_condition,
    parse,
    terms,
)
from sandbox.connectwise.schema.fields import Field, Kind, Table
from sandbox.connectwise.schema.service import (
    PROJECT_TICKET_CONFIGURATIONS,
    PROJECT_TICKETS_NAME,
    SERVICE_TICKET_CONFIGURATIONS,
    SERVICE_TICKETS_NAME,
)
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.store import Links, Record, Store
from sandbox.requests import is_number
from sandbox.switches import Switches

LISTS = (Kind.REFERENCES, Kind.ITEMS, Kind.ANSWERS, Kind.CUSTOM, Kind.TEXTS, Kind.INTEGERS)
INFO_KINDS = {
    "lastupdated": ("lastUpdated", Kind.MOMENT),
    "updatedby": ("updatedBy", Kind.TEXT),
    "dateentered": ("dateEntered", Kind.MOMENT),
    "enteredby": ("enteredBy", Kind.TEXT),
    "createddate": ("createdDate", Kind.MOMENT),
    "createdby": ("createdBy", Kind.TEXT),
}
QUESTION_KINDS = {
    "questionId": Kind.INTEGER,
    "answerId": Kind.INTEGER,
    "question": Kind.TEXT,
    "answer": Kind.TEXT,
    "sequenceNumber": Kind.NUMBER,
    "fieldType": Kind.TEXT,
    "requiredFlag": Kind.FLAG,
}
NAME = "configuration/id"
OPERATORS: Mapping[str, tuple[str, ...]] = {"single": ("=",), "in": ("=", "in")}


def unknown_name(path: str) -> ConditionError:
    """The vendor's words for a name that it doesn't know, as typed."""
    return ConditionError(f"{path} is not a recognized name.")


def shown_name(table: Table, record: Record) -> str | None:
    """What a reference to this record shows as its name: a contact's two names, a status's description."""
    if table.naming[:1] == ("firstName",) or (table.name == "system/members" and "name" not in record):
        return " ".join(str(record[part]) for part in ("firstName", "lastName") if record.get(part)) or None
    return record.get(table.naming[-1] if table.naming else "question")


class Names:
    """The names of one collection's records, found without regard to case."""

    def __init__(self, table: Table, store: Store) -> None:
        self._table = table
        self._store = store
        self._fields = {name.lower(): (name, field) for name, field in table.fields.items()}

    def access(self, path: str) -> Access:
        """How to read the name from a stored record; ConditionError: not a recognized name."""
        first, _, rest = path.lower().partition("/")
        if path.lower() == "id":
            return Access(Kind.INTEGER, lambda record: record["id"])
        stamp = INFO_KINDS.get(rest if first == "_info" else path.lower())
        if first not in self._fields:
            return self._stamp(path, stamp)
        name, field = self._fields[first]
        if field.kind in LISTS or (rest and field.kind is not Kind.REFERENCE):
            raise unknown_name(path)
        if field.kind is Kind.REFERENCE:
            return self._reference(path, name, field, rest)
        if name in self._table.derived:
            return Access(field.kind, self._table.derived[name])
        if field.mirrors:
            return self._reference(path, field.mirrors, field, "id")
        return Access(field.kind, lambda record: record.get(name, field.shown))

    def _stamp(self, path: str, stamp: tuple[str, Kind] | None) -> Access:
        if stamp is None:
            raise unknown_name(path)
        name, kind = stamp
        return Access(kind, lambda record: record.get("_info", {}).get(name))

    def _reference(self, path: str, name: str, field: Field, member: str) -> Access:
        if not member:
            return Access(Kind.REFERENCE, lambda record: record.get(name))
        if member == "id":
            return Access(
                Kind.INTEGER, lambda record: None if (ref := record.get(name)) is None else ref["id"]
            )
        records, target = self._store.collection(field.target), table_of(field.target)
        read, kind = _reference_reader(field, member, path)

        def named(record: Record) -> Any:
            ref = record.get(name)
            found = None if ref is None else records.get(ref["id"])
            return None if found is None else read(target, found)

        return Access(kind, named)

    def item_access(self, path: str) -> Access:
        """How to read the name, without the list's own name, from one item of a list."""
        first, _, member = path.lower().partition("/")
        field = self._fields[first][1]
        if field.kind is Kind.REFERENCES:
            if member == "id":
                return Access(Kind.INTEGER, lambda item: item["id"])
            reader, kind = _reference_reader(field, member, path)
            target, records = table_of(field.target), self._store.collection(field.target)
            return Access(kind, lambda item: reader(target, records.get(item["id"], {})))
        described = {name: one.kind for name, one in field.items.items()}
        kinds = QUESTION_KINDS if field.kind is Kind.ANSWERS else described
        name = next((name for name in kinds if name.lower() == member), None)
        if name is None:
            raise unknown_name(path)
        return Access(kinds[name], lambda item: item.get(name))

    def list_of(self, path: str) -> str:
        """The name of the list member that a child condition begins with."""
        found = self._fields.get(path.lower().partition("/")[0])
        if found is None or found[1].kind not in (Kind.REFERENCES, Kind.ITEMS, Kind.ANSWERS):
            raise unknown_name(path)
        return found[0]


def _reference_reader(field: Field, member: str, path: str) -> tuple[Callable[[Table, Record], Any], Kind]:
    """How to read what a reference shows of its record, and of what kind it is: a priority's sort order."""
    target = table_of(field.target)
    if member == "name":
        return shown_name, Kind.TEXT
    if member == "identifier" and "identifier" in target.naming:
        return lambda _, record: record.get("identifier"), Kind.TEXT
    found = next((source for name, source in target.shown.items() if name.lower() == member), None)
    if found is None:
        raise unknown_name(path)
    described = target.fields[found]
    return lambda _, record: record.get(found, described.shown), described.kind


class ExtraNames(Protocol):
    """Names that a collection's conditions know beside its members."""

    def check(self, expression: Expression) -> None:
        """Refuse a condition that joins them in a way that the server does not take."""

    def test(self, term: Term) -> Test | None:
        """The test of a term with such a name, None for every other."""


def condition(text: str, table: Table, store: Store, extra_names: ExtraNames | None = None) -> Test:
    """The `conditions` parameter as a test of stored records."""
    expression, access = parse(text), Names(table, store).access
    if extra_names is None:
        return compile_condition(expression, access)
    extra_names.check(expression)
    return compile_condition(expression, access, extra_names.test)


def child_condition(
    text: str, table: Table, store: Store, items: Callable[[Record, str], list[Record]]
) -> Test:
    """The `childConditions` parameter: one item of a list must meet it whole; `items` lists them."""
    expression, names = parse(text), Names(table, store)
    lists = {names.list_of(term.path) for term in terms(expression)}
    if len(lists) > 1:
        raise ConditionError("childConditions may use the members of one list only.")
    refuse_in(text, "childConditions")
    test, member = compile_condition(expression, names.item_access), lists.pop()
    return lambda record: any(test(item) for item in items(record, member))


def custom_condition(text: str, values: Callable[[Record], list[Record]]) -> Test:
    """The `customFieldConditions` parameter: one custom field must meet it whole. `values` lists them."""
    refuse_in(text, "customFieldConditions")
    expression = parse(text)
    numeric = all(
        isinstance(one, int | float) and not isinstance(one, bool)
        for term in terms(expression)
        if term.path.lower() == "value"
        for one in term.values
    )
    test = compile_condition(expression, lambda path: _custom_access(path, numeric))
    return lambda record: any(test(one) for one in values(record))


def refuse_in(text: str, parameter: str) -> None:
    """ConditionError for an `in`, which the guide does not allow here."""
    if any(term.operator == "in" for term in terms(parse(text))):
        raise ConditionError(f"in is not supported by {parameter}.")


def _custom_access(path: str, numeric: bool) -> Access:
    name = path.lower()
    if name not in ("caption", "value", "id", "type"):
        raise unknown_name(path)
    if name == "value" and numeric:
        return Access(Kind.NUMBER, lambda one: _as_number(one.get(name)))
    return Access(Kind.INTEGER if name == "id" else Kind.TEXT, lambda one: one.get(name))


def _as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


class LinkedCondition:
    """Tests tickets by their configurations; `mode` says which operators the server takes."""

    def __init__(self, links: Links, mode: Literal["single", "in"]) -> None:
        self._links = links
        self._operators = OPERATORS[mode]

    def check(self, expression: Expression) -> None:
        """Refuse the name below an OR with ConditionError."""
        if isinstance(expression, Term):
            return
        for part in expression.parts:
            self.check(part)
        joined = [one for one in terms(expression) if _is_name(one)]
        if joined and isinstance(expression, Group) and not expression.every:
            raise unknown_name(joined[0].path)

    def test(self, term: Term) -> Test | None:
        """A test of stored tickets, None for another name; ConditionError: a wrong operator or value."""
        if not _is_name(term):
            return None
        if term.operator not in self._operators or term.negated:
            raise unknown_name(term.path)
        wanted = frozenset(_id(value) for value in term.values)
        are_any_of = self._links.are_any_of
        return lambda ticket: are_any_of(ticket["id"], wanted)


def linked_condition(table: Table, store: Store, switches: Switches) -> LinkedCondition | None:
    """What the server knows of the name in this collection's conditions; None: nothing."""
    mode = switches.configuration_condition
    if mode == "off":
        return None
    if table.name == SERVICE_TICKETS_NAME:
        return LinkedCondition(store.links(SERVICE_TICKET_CONFIGURATIONS.name), mode)
    if table.name == PROJECT_TICKETS_NAME and switches.configuration_condition_on_project:
        return LinkedCondition(store.links(PROJECT_TICKET_CONFIGURATIONS.name), mode)
    return None


def _is_name(term: Term) -> bool:
    return term.path.lower() == NAME


def _id(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and is_number(value):
        return int(value)
    raise ConditionError(f"{NAME} is a number; '{value}' is not.")
