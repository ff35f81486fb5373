"""A stored record as the wire shows it: whole, or the members that `fields` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.connectwise.condition_paths import shown_name
from sandbox.connectwise.schema.fields import Field, Kind, Table
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.store import Record, Store

Read = Callable[[Record], Any]


class Renderer:
    """Shows the records of one collection.

    `base` is the API root that links begin with (the vendor's have a double slash after it). `null_custom`
    shows a custom field without a value as `"value": null` instead of leaving `value` out. A renderer is made
    for one request: what it knows of types and custom fields is not refreshed.
    """

    def __init__(self, table: Table, store: Store, *, base: str = "", null_custom: bool = False) -> None:
        self._table = table
        self._store = store
        self._base = base
        self._null_custom = null_custom
        # What stands before and after the id in each link.
        routes = {name: route.partition("{id}") for name, route in table.hrefs.items()}
        self._hrefs = {name: (f"{base}/{before}", after) for name, (before, _, after) in routes.items()}
        self._custom = [_custom_shape(one) for one in store.custom_fields(table.name)]
        self._readers: dict[str, Read | None] = {"id": None}
        for name, field in table.fields.items():
            if field.kept:
                self._readers[name] = table.derived.get(name) or self._reader(name, field)
        if table.info is not None:
            self._readers["_info"] = self._info
        self._blank: Record = {"id": 0, **table.fallbacks}

    def record(self, stored: Record) -> Record:
        """The whole record; members without a value are absent."""
        return self._shown(stored, self._readers, self._blank)

    def picker(self, fields: str) -> tuple[Callable[[Record], Record], list[str]]:
        """A function that shows the members of a `fields` parameter, and the names nobody knows.

        Names match in any case; `type/id` gives the object with just that key; `_info` only if asked for.
        """
        wanted: dict[str, set[str]] = {}
        unknown: list[str] = []
        known = {name.lower(): name for name in self._readers}
        for path in filter(None, (part.strip() for part in fields.split(","))):
            first, _, member = path.partition("/")
            name = known.get(first.lower())
            if name is None:
                unknown.append(path)
            else:
                wanted.setdefault(name, set()).add(member.lower())
        readers = {name: self._picked(name, members) for name, members in wanted.items()}
        blank = {name: value for name, value in self._blank.items() if name in wanted}
        return (lambda stored: self._shown(stored, readers, blank)), unknown

    def items(self, stored: Record, name: str) -> list[Record]:
        """The items of a list member as shown; for child conditions."""
        if self._table.fields[name].kind is Kind.ANSWERS:
            return self._questions(stored)
        return list(stored.get(name, []))

    def custom_values(self, stored: Record) -> list[Record]:
        """Every custom field of the record with caption, type and value."""
        values = stored.get("customFields", {})
        return [{**shape, "value": values.get(shape["id"])} for shape in self._custom]

    def _shown(self, stored: Record, readers: Mapping[str, Read | None], blank: Record) -> Record:
        shown = blank.copy()
        for name, read in readers.items():
            value = stored.get(name) if read is None else read(stored)
            if value is not None:
                shown[name] = value
        return shown

    def _picked(self, name: str, members: set[str]) -> Read | None:
        read = self._readers[name]
        if "" in members or read is None:
            return read
        field = self._table.fields.get(name)
        if members == {"id"} and field is not None and field.kind is Kind.REFERENCE:
            return lambda stored: None if (ref := stored.get(name)) is None else {"id": ref["id"]}

        return lambda stored: _keys(read(stored), members)

    def _reader(self, name: str, field: Field) -> Read | None:
        if field.kind is Kind.REFERENCE:
            return self._reference(name, field)
        if field.kind is Kind.REFERENCES:
            one = self._reference("type", field)
            return lambda stored: (
                list(filter(None, (one({"type": each}) for each in stored.get(name, [])))) or None
            )
        if field.mirrors:
            source = field.mirrors
            return lambda stored: None if (ref := stored.get(source)) is None else ref["id"]
        if field.kind is Kind.ITEMS and any(one.kind is Kind.REFERENCE for one in field.items.values()):
            return self._items_reader(name, field)
        special: dict[Kind, Read] = {
            Kind.CUSTOM: self._custom_fields,
            Kind.ANSWERS: lambda stored: self._questions(stored) or None,
        }
        return special.get(field.kind)

    def _items_reader(self, name: str, field: Field) -> Read:
        """Shows a list of small objects, the references in them as everywhere."""
        inner = {
            part: self._reference(part, one)
            for part, one in field.items.items()
            if one.kind is Kind.REFERENCE
        }

        def shown(stored: Record) -> list[Record] | None:
            items = stored.get(name)
            if items is None:
                return None
            found = [{**one, **{part: read(one) for part, read in inner.items()}} for one in items]
            return [{part: value for part, value in one.items() if value is not None} for one in found]

        return shown

    def _reference(self, name: str, field: Field) -> Read:
        target, records = table_of(field.target), self._store.collection(field.target)
        link, cache = f"{name}_href", dict[int, Record | None]()
        identified = field.identified and "identifier" in target.naming

        def shown(stored: Record) -> Record | None:
            ref = stored.get(name)
            if ref is None:
                return None
            record_id = ref["id"]
            if record_id not in cache:
                cache[record_id] = self._shown_reference(target, records.get(record_id), link, identified)
            return cache[record_id]

        return shown

    def _shown_reference(
        self, target: Table, record: Record | None, link: str, identified: bool
    ) -> Record | None:
        if record is None:
            return None
        shown: Record = {"id": record["id"]}
        if identified:
            shown["identifier"] = record.get("identifier")
        if target.naming != ("identifier",):
            shown["summary" if target.naming == ("summary",) else "name"] = shown_name(target, record)
        shown |= {name: record[member] for name, member in target.shown.items() if member in record}
        parent = record.get(target.parent, {}).get("id", "")
        route = target.route.replace("{parentId}", str(parent))
        shown["_info"] = {link: f"{self._base}/{route}/{record['id']}"}
        return shown

    def _custom_fields(self, stored: Record) -> list[Record] | None:
        values = stored.get("customFields", {})
        shown: list[Record] = []
        for shape in self._custom:
            value = values.get(shape["id"])
            shown.append({**shape, "value": value} if value is not None or self._null_custom else shape)
        return shown or None

    def _questions(self, stored: Record) -> list[Record]:
        type_id = stored.get("type", {}).get("id")
        given = stored.get("questions", {})
        return [
            question_shape(one, given.get(one["id"]), stored["id"])
            for one in self._store.questions(type_id)
            if not one.get("inactiveFlag") or one["id"] in given
        ]

    def _info(self, stored: Record) -> Record:
        info: Record = dict(stored.get("_info", {}))
        for name, (before, after) in self._hrefs.items():
            info[name] = f"{before}{stored['id']}{after}"
        return info


def question_shape(question: Record, given: Record | None, configuration_id: int) -> Record:
    """One item of a configuration's `questions`: the type's question with the record's answer."""
    shown: Record = {
        "answerId": configuration_id * 1000 + question["id"],
        "questionId": question["id"],
        "question": question["question"],
        "answer": given["answer"] if given else None,
        "sequenceNumber": question.get("sequenceNumber"),
        "numberOfDecimals": question.get("numberOfDecimals"),
        "fieldType": question.get("fieldType"),
        "requiredFlag": question.get("requiredFlag", False),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _custom_shape(definition: Record) -> Record:
    return {
        "id": definition["id"],
        "caption": definition["caption"],
        "type": definition["fieldTypeIdentifier"],
        "entryMethod": definition.get("entryTypeIdentifier", "EntryField"),
        "numberOfDecimals": definition.get("numberDecimals", 0),
    }


def _keys(value: Any, members: set[str]) -> Any:
    if isinstance(value, list):
        return [_keys(one, members) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: inner for key, inner in value.items() if key.lower() in members}
