"""The ConnectWise paths that a mapping may write, and a mapped value as ConnectWise takes it.

The paths are the 41 of the connector page's "Available ConnectWise paths", plus ``name``,
``purchaseDate`` and ``installationDate``; lengths are those of the vendor's OpenAPI description
(schema ``Company.Configuration``).

Date-times travel as ``yyyy-MM-ddTHH:mm:ssZ`` in UTC (fractions are refused by some endpoints), references
as ``{"id": n}``, values of custom fields are always scalar. What can't be written is refused in words.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tasks.rules.limits import LimitError, too_long
from tasks.rules.values import folded, read_date_time, write_date_time

CUSTOM_FIELD_PREFIX = "customFields."

References = Mapping[str, Mapping[str, int]]
"""Per target path (``type.name``): folded name -> id."""


class ValueKind(StrEnum):
    """How two values of a target are compared and written."""

    TEXT = "text"
    MAC = "mac"
    DATE_TIME = "date-time"
    NUMBER = "number"
    BOOLEAN = "boolean"
    REFERENCE = "reference"
    CUSTOM = "custom field"


@dataclass(frozen=True, slots=True)
class MappingTarget:
    """One writable ConnectWise path; ``max_length`` is in characters, None where none is stated.

    ``form`` is the vendor's format of a number or text: ``int32``, ``double``, ``uuid``; "" for any.
    """

    path: str
    kind: ValueKind = ValueKind.TEXT
    max_length: int | None = None
    form: str = ""

    @property
    def field(self) -> str:
        """The member of the configuration record that is written: ``type`` for ``type.name``."""
        return self.path.partition(".")[0]


_REFERENCES = {
    "type.name": 50,
    "status.name": 50,
    "company.name": None,
    "contact.name": None,
    "vendor.name": None,
    "site.name": None,
    "location.name": 50,
    "department.name": None,
    "manufacturer.name": 50,
}
_TEXTS = {
    "name": 100,
    "serialNumber": 250,
    "deviceIdentifier": 100,
    "modelNumber": 50,
    "tagNumber": 50,
    "vendorNotes": None,
    "notes": None,
    "lastLoginName": 100,
    "backupServerName": 50,
    "backupProtectedDeviceList": None,
    "ipAddress": 50,
    "defaultGateway": 50,
    "osType": 250,
    "osInfo": 250,
    "cpuSpeed": 100,
    "ram": 25,
    "localHardDrives": None,
}
_DATES = ("warrantyExpirationDate", "purchaseDate", "installationDate")
_WHOLE_NUMBERS = (
    "backupSuccesses backupIncomplete backupFailed backupRestores backupYear backupMonth companyLocationId"
)
_BOOLEANS = ("billFlag", "activeFlag", "showRemoteFlag", "showAutomateFlag", "needsRenewalFlag")

TARGETS: dict[str, MappingTarget] = {
    target.path: target
    for target in (
        *(MappingTarget(path, ValueKind.REFERENCE, length) for path, length in _REFERENCES.items()),
        *(MappingTarget(path, ValueKind.TEXT, length) for path, length in _TEXTS.items()),
        MappingTarget("mobileGuid", ValueKind.TEXT, form="uuid"),
        MappingTarget("macAddress", ValueKind.MAC, 25),
        *(MappingTarget(path, ValueKind.DATE_TIME) for path in _DATES),
        *(MappingTarget(path, ValueKind.NUMBER, form="int32") for path in _WHOLE_NUMBERS.split()),
        MappingTarget("backupBillableSpaceGb", ValueKind.NUMBER, form="double"),
        *(MappingTarget(path, ValueKind.BOOLEAN) for path in _BOOLEANS),
    )
}


def custom_field_target(caption: str) -> MappingTarget:
    """The target of a custom field, named by its caption; ConnectWise keeps it under ``customFields``."""
    return MappingTarget(CUSTOM_FIELD_PREFIX + caption, ValueKind.CUSTOM)


def near_matches(path: str) -> list[str]:
    """Up to three writable paths that look like ``path``, for the message of an unknown target."""
    by_name = {folded(known): known for known in TARGETS}
    close = difflib.get_close_matches(folded(path), by_name, n=3, cutoff=0.5)
    return [by_name[name] for name in close]


TWIN_MEMBERS = {"location": "locationId", "department": "businessUnitId"}
"""A reference and the plain id that stands beside it in the record: both say the same and must agree."""

_INT32 = 2**31
_UUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)
_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}


def wire_value(target: MappingTarget, value: Any) -> Any:
    """The value of anything but a reference.

    Raises:
        LimitError: it is too long, or can't be read as what the target holds; the text says why.
    """
    return _WIRE[target.kind](target, value)


def wire_reference(target: MappingTarget, name: Any, references: References) -> dict[str, int]:
    """``{"id": n}`` of the record of that name.

    Raises:
        LimitError: no id is known for it, because it does not exist or could not be created.
    """
    if (reference := known_reference(target, name, references)) is None:
        raise LimitError(f"{target.field} {str(name)[:60]!r} has no record in ConnectWise")
    return reference


def known_reference(target: MappingTarget, name: Any, references: References) -> dict[str, int] | None:
    """``{"id": n}`` of the record of that name, or None."""
    record_id = references.get(target.path, {}).get(folded(str(name)))
    return None if record_id is None else {"id": record_id}


def _text(target: MappingTarget, value: Any) -> str:
    # Nearly all values of an asset are texts already.
    text: str = (value if value.__class__ is str else str(_scalar(target, value))).strip()
    if target.form == "uuid" and not _UUID.fullmatch(text):
        raise LimitError(f"{target.path} takes a GUID, not {text[:60]!r}")
    if problem := too_long(target.path, text, target.max_length):
        raise LimitError(problem)
    return text


def _scalar(target: MappingTarget, value: Any) -> Any:
    if isinstance(value, list | tuple | dict | set):
        raise LimitError(f"{target.path} takes one value, the mapping gives several")
    if isinstance(value, float) and not math.isfinite(value):
        raise LimitError(f"{target.path} takes a number that is finite, not {value}")
    return value


def _number(target: MappingTarget, value: Any) -> int | float:
    """A number in the target's range; true and false are none, and nothing is rounded or cut."""
    try:
        number = math.nan if isinstance(value, bool) else float(_scalar(target, value))
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise LimitError(f"{target.path} takes a number, not {str(value)[:60]!r}")
    if target.form == "int32" and not number.is_integer():
        raise LimitError(f"{target.path} takes a whole number, not {str(value)[:60]!r}")
    if target.form == "int32" and not -_INT32 <= number < _INT32:
        raise LimitError(f"{target.path} takes a number of at most 32 bits, not {str(value)[:60]!r}")
    return int(number) if number.is_integer() else number


def _boolean(target: MappingTarget, value: Any) -> bool:
    word = str(_scalar(target, value)).strip().lower()
    if word not in _TRUE | _FALSE:
        raise LimitError(f"{target.path} takes true or false, not {str(value)[:60]!r}")
    return word in _TRUE


def _date_time(target: MappingTarget, value: Any) -> str:
    moment = read_date_time(value)
    if moment is None:
        raise LimitError(f"{target.path} takes a date, not {str(value)[:60]!r}")
    return write_date_time(moment)


_WIRE: Mapping[ValueKind, Callable[[MappingTarget, Any], Any]] = {
    ValueKind.TEXT: _text,
    ValueKind.MAC: _text,
    ValueKind.DATE_TIME: _date_time,
    ValueKind.NUMBER: _number,
    ValueKind.BOOLEAN: _boolean,
    ValueKind.REFERENCE: _text,
    ValueKind.CUSTOM: _scalar,
}
