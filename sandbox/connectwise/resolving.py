"""Members of a request body turned into stored form: references found by id, identifier or name."""

import math
from collections.abc import Callable
from typing import Any

from sandbox.connectwise.errors import FieldFault
from sandbox.connectwise.fields import Field, Kind, Table
from sandbox.connectwise.naming import shown_name
from sandbox.connectwise.store import Record, Store, answers
from sandbox.connectwise.tables import table_of


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
