"""Request bodies read as a record's members: names in any case, unknown ones refused, kinds checked."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import Any

from sandbox.connectwise.errors import VendorError, bad_body
from sandbox.connectwise.schema.fields import Field, Kind, Table
from sandbox.connectwise.store import Record
from sandbox.requests import decode

LARGEST_NUMBER = 1e28  # about what a decimal of the vendor's platform holds; sums stay finite
# Of every kind of reference: what an answer shows in one is accepted in a body, and only its id counts.
REFERENCE_MEMBERS = frozenset(
    {
        "id", "name", "identifier", "_info", "type", "description", "chargefirmflag", "coreentityid",
        "deviceidentifier", "question", "symbol", "currencycode", "decimalseparator", "numberofdecimals",
        "thousandsseparator", "negativeparenthesesflag", "displaysymbolflag", "currencyidentifier",
        "displayidflag", "rightalign", "serializedflag", "server", "dailycapacity", "ssouserid", "username",
        "email", "sort", "level", "summary", "lockedflag", "utilizationflag", "billingtype", "applytotype",
        "invoicedate", "showpriceflag", "showsubitemsflag", "groupparentchildadditionsflag",
    }
)  # fmt: skip
QUESTION_MEMBERS = frozenset(
    {
        "answerid", "questionid", "question", "answer", "sequencenumber", "numberofdecimals", "fieldtype",
        "requiredflag",
    }
)  # fmt: skip
CUSTOM_MEMBERS = frozenset(
    {
        "id", "caption", "type", "entrymethod", "numberofdecimals", "value", "connectwiseid", "rownum",
        "userdefinedfieldrecid", "podid",
    }
)  # fmt: skip


class Body:
    """A JSON body, VendorError where it is none; its text gives the places in error messages."""

    def __init__(self, text: str) -> None:
        self._text = text
        try:
            self.value: Any = decode(text) if text.strip() else None
        except ValueError as error:
            raise bad_body(f"Unexpected character encountered while parsing value. {error}. ") from None

    @property
    def length(self) -> int:
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
        known = _lowered_names(tuple(table.fields))
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
        # A checkbox's answer is true or false: it is kept as it is.
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
        if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,10}\s*", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**31 - 1:
            raise self._wrong("integer", value, place)
        return value

    def _number(self, value: Any, place: str) -> float | int:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not abs(number) <= LARGEST_NUMBER:
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
        found = f"Could not find member '{key}' on object of type '{type_name}'."
        return bad_body(f"{found} {self._place(place)}")

    def _place(self, place: str) -> str:
        name = json.dumps(re.split(r"[.\[]", place)[-1].rstrip("]"), ensure_ascii=False)
        index = max(0, self._text.find(name)) + len(name) + 1
        before = self._text[:index]
        line, column = before.count("\n") + 1, index - (before.rfind("\n") + 1)
        return f"Path '{place}', line {line}, position {column}."


@cache
def _lowered_names(names: tuple[str, ...]) -> dict[str, str]:
    return {name.lower(): name for name in names}
