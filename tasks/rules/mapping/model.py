"""The field mapping as a person writes it, and the tables of values that mean existing ConnectWise records.

A mapping is accepted in three forms: a list of objects with ``source`` and ``target``; key-value pairs
``{source: target}``; and the connector page's list of one-key objects (its custom field mappings). Each may
come as JSON text, as the page shows it.
``source`` is a JMESPath expression over one asset; ``target`` a ConnectWise path of ``targets.py`` or
``customFields.<caption>``.

A value table is a list of rows, since the Prefect UI offers a dropdown in a row but shows a mapping as bare
JSON. A mapping ``{value: name or null}`` is accepted too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX
from tasks.rules.values import folded

LINK_CAPTION = "ls_asset_id"

_DEFAULTS = {
    "assetBasicInfo.name": "name",
    "assetBasicInfo.type": "type.name",
    "assetCustom.stateName": "status.name",
    "assetCustom.manufacturer": "manufacturer.name",
    "assetCustom.location": "location.name",
    "assetCustom.serialNumber": "serialNumber",
    "assetCustom.model": "modelNumber",
    "assetBasicInfo.mac": "macAddress",
    "assetBasicInfo.ipAddress": "ipAddress",
    "assetCustom.purchaseDate": "purchaseDate",
    "assetCustom.warrantyDate": "warrantyExpirationDate",
    "assetBasicInfo.userName": "lastLoginName",
    "operatingSystem.caption": "osType",
    "operatingSystem.version": "osInfo",
    "processors[0].name": "cpuSpeed",
}
_EDITED = frozenset({"name", "status.name", "manufacturer.name", "location.name"})
"""Where people know better than a scan, and work in ConnectWise; all else is what machines report."""
_CUSTOM_DEFAULTS = {
    "key": LINK_CAPTION,
    "url": "ls_asset_url",
    "softwares[].{name: name, version: version}": "ls_software",
    "assetCustom.location": "ls_asset_location",
}
LEAVE_OUT = "(leave it out)"
"""The choice in place of a record's name: assets with this value get no such record."""


class Authority(StrEnum):
    """Whose value counts when both systems have one (docs/spec.md, design 4.4)."""

    LANSWEEPER = "lansweeper"
    CONNECTWISE = "connectwise"
    FILL = "fill"
    MERGE = "merge"


class OnConflict(StrEnum):
    """What becomes of a field with the authority ``merge`` that both systems changed, and not alike."""

    LANSWEEPER = "lansweeper"
    CONNECTWISE = "connectwise"
    REPORT = "report"


class FieldMapping(BaseModel):
    """One line of the mapping, as a person writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    source: str = Field(min_length=1, description="JMESPath of the value in a Lansweeper asset.")
    target: str = Field(min_length=1, description="ConnectWise path, or customFields.<caption>.")
    authority: Authority | None = Field(
        default=None,
        description="lansweeper: always written; connectwise: on creation only; fill: only where "
        "ConnectWise has nothing; merge: written where Lansweeper's value changed, a person's edit is kept. "
        "Empty: connectwise for type.name, lansweeper for the rest.",
    )
    on_conflict: OnConflict = Field(
        default=OnConflict.LANSWEEPER,
        description="Of merge, where both changed: lansweeper or connectwise: whose value holds; report: "
        "nothing is written, and the run names it until both are alike. Plan and report show every conflict.",
    )
    clear: bool = Field(
        default=False, description="Empty the ConnectWise field when Lansweeper has no value."
    )
    values: dict[str, str | None] = Field(
        default_factory=dict,
        description="Lansweeper value -> existing ConnectWise value, or null to leave the field out.",
    )

    def effective_authority(self) -> Authority:
        """The authority that applies; a type is ConnectWise's own, since changing it can drop data."""
        default = Authority.CONNECTWISE if self.target == "type.name" else Authority.LANSWEEPER
        return self.authority or default


def read_mappings(value: Any) -> list[FieldMapping]:
    """The mappings in any of the three accepted forms; ``None`` or nothing gives an empty list.

    Raises ``ValueError`` (pydantic's is one) that names the entry that can't be read.
    """
    return [FieldMapping.model_validate(entry) for entry in _entries(value)]


def read_custom_field_mappings(value: Any) -> list[FieldMapping]:
    """As ``read_mappings``, with bare captions for targets: ``{"key": "ls_asset_id"}``."""
    return [
        each.model_copy(
            update={"target": CUSTOM_FIELD_PREFIX + each.target.removeprefix(CUSTOM_FIELD_PREFIX)}
        )
        for each in read_mappings(value)
    ]


def _entries(value: Any) -> list[Any]:
    if isinstance(value, str | bytes):
        value = _of_json(value)
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [value] if _is_full(value) else _pairs(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [entry for item in value for entry in _entries_of_item(item)]
    raise ValueError(
        f"Field mappings are a list of objects or key-value pairs, not {type(value).__name__}. "
        'Write [{"source": "assetBasicInfo.name", "target": "name"}] or {"assetBasicInfo.name": "name"}.'
    )


def _of_json(text: str | bytes) -> Any:
    """What JSON text holds, as the connector page shows its mappings; nothing for blank text."""
    try:
        return orjson.loads(text) if text.strip() else None
    except orjson.JSONDecodeError as error:
        raise ValueError(
            f"Field mappings are a list of objects or key-value pairs, not str; as JSON it fails: {error}. "
            'Write [{"source": "assetBasicInfo.name", "target": "name"}] or {"assetBasicInfo.name": "name"}.'
        ) from None


def _entries_of_item(item: Any) -> list[Any]:
    if isinstance(item, FieldMapping) or _is_full(item):
        return [item]
    if isinstance(item, Mapping):
        return _pairs(item)
    raise ValueError(f"A field mapping is an object with source and target, not {item!r:.80}.")


def _is_full(item: Any) -> bool:
    return isinstance(item, Mapping) and "source" in item and "target" in item


def _pairs(pairs: Mapping[Any, Any]) -> list[dict[str, Any]]:
    for source, target in pairs.items():
        if not isinstance(source, str) or not isinstance(target, str):
            raise ValueError(f"A key-value mapping is text to text, not {source!r:.60}: {target!r:.60}.")
    return [{"source": source, "target": target} for source, target in pairs.items()]


def default_mappings() -> list[FieldMapping]:
    """Lansweeper's own paths to the ConnectWise fields that hold the same thing.

    What people edit in ConnectWise is merged.
    """
    return [
        each.model_copy(update={"authority": Authority.MERGE}) if each.target in _EDITED else each
        for each in read_mappings(_DEFAULTS)
    ]


def default_custom_field_mappings() -> list[FieldMapping]:
    """The four custom fields that the connector page asks the administrator to create.

    Software lists are large: the caller leaves ``ls_software`` out where ConnectWise has no such field.
    """
    return read_custom_field_mappings(_CUSTOM_DEFAULTS)


class ValueRow(BaseModel):
    """One Lansweeper value and the name of the existing record that it means."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    value: str = Field(min_length=1, title="Lansweeper value", description="As Lansweeper has it.")
    record: str = Field(
        default=LEAVE_OUT, min_length=1, title="ConnectWise record", description="Name of an existing record."
    )


class TypeRow(ValueRow):
    """A row of the table of configuration types."""


class StatusRow(ValueRow):
    """A row of the table of configuration statuses."""


class ManufacturerRow(ValueRow):
    """A row of the table of manufacturers."""


class LocationRow(ValueRow):
    """A row of the table of locations."""


class ReferenceValues(BaseModel):
    """A table for each kind of reference; its rows have a class each, since each offers its own names."""

    model_config = ConfigDict(extra="forbid")

    types: list[TypeRow] = Field(default_factory=list, title="Configuration types")
    statuses: list[StatusRow] = Field(default_factory=list, title="Configuration statuses")
    manufacturers: list[ManufacturerRow] = Field(default_factory=list, title="Manufacturers")
    locations: list[LocationRow] = Field(default_factory=list, title="Locations")

    @field_validator("*", mode="before")
    @classmethod
    def _rows(cls, table: Any) -> Any:
        if not isinstance(table, Mapping):
            return table
        return [
            {"value": value, "record": LEAVE_OUT if name is None else name} for value, name in table.items()
        ]

    @field_validator("*")
    @classmethod
    def _each_value_once(cls, table: list[ValueRow]) -> list[ValueRow]:
        values = [folded(row.value) for row in table]
        if twice := next((row.value for row in table if values.count(folded(row.value)) > 1), None):
            raise ValueError(f"{twice!r} stands in the table more than once. Keep one of its rows.")
        return table

    def by_target(self) -> dict[str, dict[str, str | None]]:
        """By ConnectWise path: Lansweeper value -> name, or None to leave the field out."""
        return {
            "type.name": _names(self.types),
            "status.name": _names(self.statuses),
            "manufacturer.name": _names(self.manufacturers),
            "location.name": _names(self.locations),
        }


def _names(table: Sequence[ValueRow]) -> dict[str, str | None]:
    return {row.value: None if row.record == LEAVE_OUT else row.record for row in table}
