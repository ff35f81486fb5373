"""Request bodies read as a record's members: names in any case, unknown ones refused, kinds checked.

Members of a request body turned into stored form: references found by id, identifier or name.

Whether a whole stored record keeps its table's rules; members that a PATCH did not touch count too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sandbox.connectwise.condition_paths import shown_name
from sandbox.connectwise.errors import FieldFault, VendorError, bad_body
from sandbox.connectwise.schema.company import COMPANIES_NAME
from sandbox.connectwise.schema.fields import Field, Kind, Table
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.store import Record, Store, answers
from sandbox.wire_json import decoded

REFERENCE_MEMBERS = frozenset(
    {"id", "name", "identifier", "_info", "dailycapacity", "sort", "level", "summary"}
)
QUESTION_MEMBERS = frozenset(
    {
        "answerid",
        "questionid",
        "question",
        "answer",
        "sequencenumber",
        "numberofdecimals",
        "fieldtype",
        "requiredflag",
    }
)
CUSTOM_MEMBERS = frozenset(
    {
        "id",
        "caption",
        "type",
        "entrymethod",
        "numberofdecimals",
        "value",
        "connectwiseid",
        "rownum",
        "userdefinedfieldrecid",
        "podid",
    }
)


class Body:
    """A JSON body with its text, from which the places in error messages are taken."""

    def __init__(self, text: str) -> None:
        """Read the text.

        Raises:
            VendorError: not JSON.
        """
        self._text = text
        try:
            self.value: Any = decoded(text) if text.strip() else None
        except (ValueError, RecursionError) as error:
            raise bad_body(f"Unexpected character encountered while parsing value. {error}. ") from None

    @property
    def length(self) -> int:
        """Its characters."""
        return len(self._text)

    def object(self, value: Any, members: frozenset[str], type_name: str, at: str = "") -> Record:
        """A small object by lower-case names. `at` is its place.

        Raises:
            VendorError: not an object, or a member that is none of `members`.
        """
        return self._lowered(value, members, type_name, at)

    def members(self, table: Table, value: Any, at: str = "") -> Record:
        """The members of one record in canonical names; a null stays as None. `at` is the record's place.

        Raises:
            VendorError: not an object, an unknown member, a value of the wrong kind.
        """
        if not isinstance(value, dict):
            raise bad_body(f"Cannot deserialize the value into type '{table.type_name}'. {self._place(at)}")
        known = _lower_names(table)
        found: Record = {}
        for key, one in value.items():
            name = known.get(key.lower())
            place = f"{at}.{key}" if at else key
            if name is not None:
                found[name] = self.coerced(table.fields[name], one, place)
            elif key.lower() == "id" and one is not None:
                found["id"] = self._integer(one, place)
            elif key.lower() not in ("id", "_info"):
                raise self._unknown(key, table.type_name, place)
        return found

    def coerced(self, field: Field, value: Any, place: str) -> Any:
        """A value as its field holds it; numbers may come as texts, texts as numbers."""
        if value is None:
            return None
        match field.kind:
            case Kind.TEXT | Kind.MOMENT:
                return self._text_of(value, place)
            case Kind.INTEGER:
                return self._integer(value, place)
            case Kind.NUMBER:
                return self._number(value, place)
            case Kind.FLAG:
                return self._flag(value, place)
            case Kind.CHOICE:
                return self._choice(field, value, place)
            case Kind.REFERENCE:
                return self._reference(value, place)
            case _:
                return self._listed(field, value, place)

    def _listed(self, field: Field, value: Any, place: str) -> list[Any]:
        if not isinstance(value, list):
            raise bad_body(f"Cannot deserialize the value into an array. {self._place(place)}")
        places = [(one, f"{place}[{index}]") for index, one in enumerate(value)]
        match field.kind:
            case Kind.REFERENCES:
                return [self._reference(one, at) for one, at in places]
            case Kind.ANSWERS:
                return [self._question(one, at) for one, at in places]
            case Kind.CUSTOM:
                return [self._lowered(one, CUSTOM_MEMBERS, "CustomFieldValue", at) for one, at in places]
            case Kind.ITEMS:
                return [self._item(field, one, at) for one, at in places]
            case Kind.INTEGERS:
                return [self._integer(one, at) for one, at in places]
            case _:
                return [self._text_of(one, at) for one, at in places]

    def _question(self, value: Any, place: str) -> Record:
        found = self._lowered(value, QUESTION_MEMBERS, "ConfigurationQuestion", place)
        if found.get("questionid") is not None:
            found["questionid"] = self._integer(found["questionid"], f"{place}.questionId")
        if isinstance(found.get("answer"), dict | list):
            raise self._wrong("answer", found["answer"], f"{place}.answer")
        return found

    def _item(self, field: Field, value: Any, place: str) -> Record:
        known = {name.lower(): name for name in field.items}
        lowered = self._lowered(value, frozenset(known), "item", place)
        return {
            known[key]: self.coerced(field.items[known[key]], one, f"{place}.{key}")
            for key, one in lowered.items()
            if one is not None and key in known
        }

    def _reference(self, value: Any, place: str) -> Record:
        found = self._lowered(value, REFERENCE_MEMBERS, "Reference", place)
        if found.get("id") is not None:
            found["id"] = self._integer(found["id"], f"{place}.id")
        return found

    def _lowered(self, value: Any, members: frozenset[str], type_name: str, place: str) -> Record:
        if not isinstance(value, dict):
            raise bad_body(f"Cannot deserialize the value into type '{type_name}'. {self._place(place)}")
        for key in value:
            if key.lower() not in members and key != "_info":
                raise self._unknown(key, type_name, f"{place}.{key}" if place else key)
        return {key.lower(): one for key, one in value.items()}

    def _text_of(self, value: Any, place: str) -> str:
        if isinstance(value, dict | list):
            raise self._wrong("string", value, place)
        return value if isinstance(value, str) else json.dumps(value)

    def _integer(self, value: Any, place: str) -> int:
        if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,10}\s*", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**31 - 1:
            raise self._wrong("integer", value, place)
        return value

    def _number(self, value: Any, place: str) -> float | int:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number):
            raise self._wrong("double", value, place)
        return value if isinstance(value, int | float) else number

    def _flag(self, value: Any, place: str) -> bool:
        words = {"true": True, "false": False}
        if not isinstance(value, bool) and str(value).lower() not in words:
            raise self._wrong("boolean", value, place)
        return value if isinstance(value, bool) else words[str(value).lower()]

    def _choice(self, field: Field, value: Any, place: str) -> str:
        found = next((one for one in field.choices if one.lower() == str(value).lower()), None)
        if found is None:
            raise self._wrong("enum", value, place)
        return found

    def _wrong(self, kind: str, value: Any, place: str) -> VendorError:
        shown = value if isinstance(value, str) else json.dumps(value)
        return bad_body(f"Could not convert string to {kind}: {shown}. {self._place(place)}")

    def _unknown(self, key: str, type_name: str, place: str) -> VendorError:
        return bad_body(
            f"Could not find member '{key}' on object of type '{type_name}'. {self._place(place)}"
        )

    def _place(self, place: str) -> str:
        name = json.dumps(re.split(r"[.\[]", place)[-1].rstrip("]"), ensure_ascii=False)
        index = max(0, self._text.find(name)) + len(name) + 1
        before = self._text[:index]
        line, column = before.count("\n") + 1, index - (before.rfind("\n") + 1)
        return f"Path '{place}', line {line}, position {column}."


def _lower_names(table: Table) -> dict[str, str]:
    return _lowered_names(tuple(table.fields))


@cache
def _lowered_names(names: tuple[str, ...]) -> dict[str, str]:
    """A table's members by their names in small letters."""
    return {name.lower(): name for name in names}


class Resolver:
    """Turns members into stored form for one collection, collecting what is wrong in `faults`."""

    def __init__(self, table: Table, store: Store) -> None:
        """Nothing is written to the store."""
        self._table = table
        self._store = store
        self._record: Record = {}
        self.faults: list[FieldFault] = []

    def resolved(self, members: Record, owners: Callable[[Record], Record] = dict) -> Record:
        """The members in stored form; a null stays None; what has no effect or is not kept is left out.

        A status' name is looked for among those of the ticket's board. `owners` gives the whole record as it
        becomes from the other members.
        """
        fields = self._table.fields
        owned = {name for name in members if name in fields and fields[name].named_within}
        found = self._resolved({name: one for name, one in members.items() if name not in owned})
        if owned:
            if any(_goes_by_name(members[name]) for name in owned):
                self._record = owners(found)
            found |= self._resolved({name: members[name] for name in members if name in owned})
        return found

    def _resolved(self, members: Record) -> Record:
        found: Record = {}
        for name, value in members.items():
            field = self._table.fields.get(name)
            if field is None or not field.kept or not field.settable:
                continue
            if field.mirrors:
                if field.mirrors not in members:
                    found[field.mirrors] = (
                        None if value is None else self._reference(name, field, {"id": value})
                    )
                continue
            found[name] = None if value is None else self._value(name, field, value)
        return found

    def _value(self, name: str, field: Field, value: Any) -> Any:
        match field.kind:
            case Kind.REFERENCE:
                return self._reference(name, field, value)
            case Kind.REFERENCES:
                return [one for each in value if (one := self._reference(name, field, each)) is not None]
            case Kind.CUSTOM:
                return self._custom_values(value)
            case Kind.ANSWERS:
                return answers({"questionId": one.get("questionid"), **one} for one in value)
            case _:
                return value

    def _reference(self, name: str, field: Field, value: Record) -> Record | None:
        """`{"id": n}`; an id is not looked up here: whether it exists is part of validating the record."""
        record_id = value.get("id")
        if record_id is not None:
            return {"id": record_id}
        for key in ("identifier", "name"):
            if value.get(key) is not None:
                return self._named(name, field, key, str(value[key]))
        return None

    def _named(self, name: str, field: Field, key: str, wanted: str) -> Record | None:
        """The one record of that identifier or name; none, or several, is a fault."""
        table, folded = table_of(field.target), wanted.strip().casefold()
        owner = self._record.get(field.within) if field.named_within else None
        ids = [
            record_id
            for record_id, record in self._store.collection(field.target).items()
            if (_word(table, record, key) or "").casefold() == folded
            and (owner is None or record.get(field.within) == owner)
        ]
        if len(ids) == 1:
            return {"id": ids[0]}
        message = f"{table.label} {wanted} not found"
        if owner is not None:
            message += f" for {table_of(table.fields[field.within].target).label} {owner['id']}"
        self.faults.append(FieldFault("NotFound", message, name))
        return None

    def _custom_values(self, values: list[Record]) -> dict[int, Any]:
        definitions = {one["id"]: one for one in self._store.custom_fields(self._table.name)}
        by_caption = {one["caption"].casefold(): one["id"] for one in definitions.values()}
        found: dict[int, Any] = {}
        for one in values:
            field_id = one.get("id")
            if field_id is None:
                field_id = by_caption.get(str(one.get("caption")).casefold())
            definition = definitions.get(int(field_id or 0)) if str(field_id).isdecimal() else None
            if definition is None:
                self._refuse("NotFound", f"Custom field {one.get('id') or one.get('caption')} not found")
            elif not _fits(definition["fieldTypeIdentifier"], one.get("value")):
                self._refuse("InvalidField", f"The value of {definition['caption']} is invalid.")
            else:
                found[definition["id"]] = one.get("value")
        return found

    def _refuse(self, code: str, message: str) -> None:
        self.faults.append(FieldFault(code, message, "customFields"))


def _word(table: Table, record: Record, key: str) -> str | None:
    return record.get(key) if key == "identifier" else shown_name(table, record)


def _goes_by_name(value: Any) -> bool:
    return isinstance(value, dict) and value.get("id") is None


def _fits(field_type: str, value: Any) -> bool:
    """Whether a custom field of this type can hold the value: always a scalar."""
    if isinstance(value, dict | list):
        return False
    if value is None or value == "":
        return True
    if field_type in ("Number", "Currency", "Percent"):
        try:
            return math.isfinite(float(value)) and not isinstance(value, bool)
        except (ValueError, OverflowError):
            return False
    if field_type == "Checkbox":
        return isinstance(value, bool) or str(value).lower() in ("true", "false")
    return True


WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ADDRESS = ("addressLine1", "addressLine2", "city", "state", "zip", "country")


def faults(table: Table, record: Record, store: Store) -> list[FieldFault]:
    """What is wrong with a record in stored form, member by member; empty if nothing is."""
    found: list[FieldFault] = []
    for name, field in table.fields.items():
        value = record.get(name)
        if field.required and (value is None or (isinstance(value, str) and not value.strip())):
            found.append(FieldFault("MissingRequiredField", f"The {name} field is required.", name))
        elif value is not None:
            found.extend(_member_faults(name, field, value, record, store))
    if "questions" in record:
        found.extend(_question_faults(record, store))
    return found


def taken(table: Table, record: Record, changed: Record, store: Store) -> list[FieldFault]:
    """The changed members whose value another record of the collection (of the same parent) has already."""
    return [
        FieldFault("ObjectExists", f"A matching {table.resource} entry already exists", name)
        for name in table.unique
        if name in changed and _held_elsewhere(table, record, name, store)
    ]


def address_fault(table: Table, record: Record) -> list[FieldFault]:
    """A company is created with at least one part of its address."""
    if table.name != COMPANIES_NAME or any(record.get(name) for name in ADDRESS):
        return []
    message = "At least one address field is required."
    return [FieldFault("MissingRequiredField", message, ADDRESS[0])]


def _member_faults(name: str, field: Field, value: Any, record: Record, store: Store) -> Iterator[FieldFault]:
    if field.max_length is not None and len(value) > field.max_length:
        message = f"The field {name} must be a string with a maximum length of {field.max_length}."
        yield FieldFault("MaxLengthField", message, name)
    if field.minimum is not None and not field.minimum <= value <= (field.maximum or value):
        message = f"The field {name} must be between {field.minimum} and {field.maximum}."
        yield FieldFault("OutOfRange", message, name)
    if field.kind is Kind.MOMENT and not _is_wire_time(value):
        yield FieldFault("InvalidField", f"Unsupported format applied to {name}", name)
    if field.kind is Kind.REFERENCE:
        yield from _reference_faults(name, field, value["id"], record, store)
    if field.kind is Kind.REFERENCES:
        for one in value:
            yield from _reference_faults(name, field, one["id"], record, store)


def _reference_faults(
    name: str, field: Field, record_id: int, record: Record, store: Store
) -> Iterator[FieldFault]:
    target, found = table_of(field.target), store.get(field.target, record_id)
    if found is None:
        yield FieldFault("NotFound", f"{target.label} {record_id} not found", f"{name}/id")
        return
    owner = record.get(field.within) if field.within else None
    if owner is not None and found.get(field.within) != owner:
        owners = table_of(target.fields[field.within].target).label
        message = f"{target.label} {record_id} not found for {owners} {owner['id']}"
        yield FieldFault("NotFound", message, f"{name}/id")


def _question_faults(record: Record, store: Store) -> Iterator[FieldFault]:
    type_id = record.get("type", {}).get("id")
    asked = {one["id"] for one in store.questions(type_id)}
    for question_id in record["questions"]:
        if question_id not in asked:
            message = f"Question {question_id} not found for Configuration Type {type_id}"
            yield FieldFault("NotFound", message, "questions/questionId")


def _held_elsewhere(table: Table, record: Record, name: str, store: Store) -> bool:
    wanted = str(record.get(name, "")).strip().casefold()
    parent = record.get(table.parent) if table.parent else None
    return any(
        one["id"] != record.get("id")
        and str(one.get(name, "")).strip().casefold() == wanted
        and (not table.parent or one.get(table.parent) == parent)
        for one in store.collection(table.name).values()
    )


def _is_wire_time(value: str) -> bool:
    if WIRE_TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
