"""What a configuration should hold: the mapping, once more and by hand (docs/spec.md, design 4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos import asset_matching as values
from benchmarks.chaos.asset_matching import Forms, Side

Record = dict[str, Any]
LINK = "customFields.ls_asset_id"
REFERENCES = {
    "type.name": ("company/configurations/types", "name"),
    "status.name": ("company/configurations/statuses", "description"),
    "manufacturer.name": ("procurement/manufacturers", "name"),
    "location.name": ("system/locations", "name"),
}
"""Where the records are that a field refers to, and which member is their name."""
CREATABLE = ("type.name", "status.name", "manufacturer.name")
NAME_LENGTH = 50
LENGTHS = {
    "name": 100, "serialNumber": 250, "modelNumber": 50, "macAddress": 25, "ipAddress": 50,
    "lastLoginName": 100, "osType": 250, "osInfo": 250, "cpuSpeed": 100,
}  # fmt: skip
DATES = ("purchaseDate", "warrantyExpirationDate", "installationDate")
SOFTWARE = "softwares[].{name: name, version: version}"
DEFAULT = {
    "name": "assetBasicInfo.name",
    "type.name": "assetBasicInfo.type",
    "status.name": "assetCustom.stateName",
    "manufacturer.name": "assetCustom.manufacturer",
    "location.name": "assetCustom.location",
    "serialNumber": "assetCustom.serialNumber",
    "modelNumber": "assetCustom.model",
    "macAddress": "assetBasicInfo.mac",
    "ipAddress": "assetBasicInfo.ipAddress",
    "purchaseDate": "assetCustom.purchaseDate",
    "warrantyExpirationDate": "assetCustom.warrantyDate",
    "lastLoginName": "assetBasicInfo.userName",
    "osType": "operatingSystem.caption",
    "osInfo": "operatingSystem.version",
    "cpuSpeed": "processors[0].name",
}
MERGED = dict.fromkeys(("name", "status.name", "manufacturer.name", "location.name"), "merge")
"""Authorities of the default mapping that are not a field's own."""
CUSTOM = {
    LINK: "key",
    "customFields.ls_asset_url": "url",
    "customFields.ls_software": SOFTWARE,
    "customFields.ls_asset_location": "assetCustom.location",
}
FILLER_KINDS = {"modelNumber": "model", "ipAddress": "ip"}
UNKNOWN = (
    "fillers",
    "asset_filter",
    "structure_level_id",
    "reference_values",
    "reactivate",
    "custom_field_ids",
)
"""Settings that the model does not know: a schedule that draws them would be judged wrongly."""
KEYS = ("serialNumber", "macAddress", "name")


@dataclass(frozen=True)
class Field:
    """One mapped field; ``kind`` is text, mac, date, reference or custom."""

    target: str
    source: str
    authority: str
    kind: str

    @property
    def member(self) -> str:
        """The member of the record: ``type`` for ``type.name``; custom fields keep their caption."""
        return self.target if self.kind == "custom" else self.target.partition(".")[0]


class Model:
    """What the settings say. ``names`` are the names of reference records, by target: (active, inactive)."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Raises ValueError for settings that the model does not know."""
        if strange := [name for name in UNKNOWN if settings.get(name)]:
            raise ValueError(f"The model of the asset synchronization does not know {', '.join(strange)}")
        self.fields = [*_fields(settings.get("mappings"), DEFAULT)]
        self.fields += _fields(settings.get("custom_field_mappings"), CUSTOM, "customFields.")
        if all(each.target != LINK for each in self.fields):
            self.fields.append(Field(LINK, "key", "lansweeper", "custom"))
        self.patch_only = settings.get("write_mode") == "patch"
        self._case = bool(settings.get("case_sensitive_match", True))
        self._prefix = str(settings.get("prefix", "ls_"))
        self._lines = int(settings.get("software_lines", 200))
        self.names: dict[str, tuple[set[str], set[str]]] = {}

    def learn_names(self, records: Mapping[str, Iterable[Record]]) -> None:
        """Take over the names that exist, from the records of each collection of ``REFERENCES``."""
        for target, (collection, member) in REFERENCES.items():
            active: set[str] = set()
            inactive: set[str] = set()
            for each in records[collection]:
                names = inactive if each.get("inactiveFlag") else active
                names.add(folded(each.get(member)))
            self.names[target] = (active, inactive)

    def wanted(self, asset: Record, field: Field) -> Any:
        """The value that ConnectWise should hold; None where Lansweeper says nothing."""
        value = read(asset, field.source)
        match field.kind:
            case "reference":
                return self._reference(field, value)
            case "mac":
                return self._mac(value)
            case "date":
                return values.wire_moment(value)
            case "custom" if isinstance(value, list):
                return values.software_lines(value, self._lines)
        if field.target == "serialNumber" and values.is_filler_serial(value):
            return None
        if field.target not in ("name", LINK) and values.is_filler(
            value, FILLER_KINDS.get(field.target, "text")
        ):
            return None
        return values.plain(value)

    def _reference(self, field: Field, value: Any) -> str | None:
        if values.is_filler(value, "maker" if field.target == "manufacturer.name" else "reference"):
            return None
        text = values.plain(value) or ""
        prefix = self._prefix if field.target in ("type.name", "status.name") else ""
        return text if text.casefold().startswith(prefix.casefold()) else prefix + text

    def _mac(self, value: Any) -> str | None:
        found = values.digits(value)
        is_nothing = values.is_filler(value) if found is None else values.is_no_card(found)
        return None if is_nothing else values.plain(value)

    def is_writable(self, field: Field, wanted: Any) -> bool:
        """Whether ConnectWise can hold the value: short enough, and a record of that name may be there."""
        if field.kind == "reference":
            active, inactive = self.names[field.target]
            name = folded(wanted)
            fits = field.target in CREATABLE and _length(wanted) <= NAME_LENGTH and name not in inactive
            return name in active or fits
        most = LENGTHS.get(field.target)
        return most is None or _length(wanted) <= most

    def written(self, asset: Record) -> Iterator[tuple[Field, Any]]:
        for field in self.fields:
            wanted = self.wanted(asset, field)
            if wanted is not None and self.is_writable(field, wanted):
                yield field, wanted

    def can_be_created(self, asset: Record) -> bool:
        """Name and type are what a configuration needs beside its company; the key links it."""
        targets = {field.target for field, _ in self.written(asset)}
        return {"name", "type.name", LINK} <= targets

    def can_be_modified(self, asset: Record, record: Record) -> bool:
        """A name that is too long skips the asset, unless it is there already."""
        name = read(asset, next((each.source for each in self.fields if each.target == "name"), ""))
        fits = _length(name) <= LENGTHS["name"] or values.same("text", record.get("name"), name)
        return bool(values.plain(asset.get("key"))) and fits

    def asset_side(self, asset: Record) -> Side:
        mapped = {each.target: self.wanted(asset, each) for each in self.fields if each.target in KEYS}
        return Side(self._forms(mapped), key=values.plain(asset.get("key")) or "")

    def configuration_side(self, record: Record) -> Side:
        return Side(self._forms(record), key=link_of(record), id=int(record["id"]))

    def _forms(self, record: Mapping[str, Any]) -> Forms:
        serial, mac, name = (record.get(each) for each in KEYS)
        case = self._case
        return values.serial_key(serial, case), values.mac_key(mac), values.name_key(name, case)


def read(asset: Record, path: str) -> Any:
    """The value at a path of names and indexes; the software list as it is."""
    if path == SOFTWARE:
        return asset.get("softwares")
    found: Any = asset
    for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", path):
        found = found.get(name) if isinstance(found, dict) else None
        if index:
            found = found[int(index)] if isinstance(found, list) and len(found) > int(index) else None
    return found


def have(record: Record, field: Field) -> Any:
    """What a configuration of the wire holds there; a reference's name."""
    if field.kind == "custom":
        return custom_values(record).get(field.target)
    value = record.get(field.member)
    return value.get("name") if isinstance(value, dict) else value


def custom_values(record: Record) -> Record:
    """The custom fields that have a value, by ``customFields.<caption>``."""
    fields = record.get("customFields") or []
    return {
        f"customFields.{each['caption']}": each["value"] for each in fields if each.get("value") is not None
    }


def link_of(record: Record) -> str:
    """The asset key that a configuration carries; empty if none."""
    return values.plain(custom_values(record).get(LINK)) or ""


def folded(name: Any) -> str:
    """A name as reference records compare: no case, no outer blanks."""
    return (values.plain(name) or "").casefold()


def _length(value: Any) -> int:
    """UTF-16 units, as the vendor counts."""
    return len(str(value or "").encode("utf-16-le", "surrogatepass")) // 2


def _fields(given: Any, default: Mapping[str, str], prefix: str = "") -> Iterator[Field]:
    """The mapped fields of the settings, in any of the forms that a person may write them in."""
    if given is None:
        given = [
            {"source": source, "target": target, "authority": MERGED.get(target)}
            for target, source in default.items()
        ]
    entries = [given] if isinstance(given, dict) else given
    for entry in entries:
        whole = "source" in entry and "target" in entry
        lines = [entry] if whole else [{"source": s, "target": t} for s, t in entry.items()]
        yield from (_field(line, prefix) for line in lines)


def _field(line: Mapping[str, Any], prefix: str) -> Field:
    if line.get("clear") or line.get("values"):
        raise ValueError("The model of the asset synchronization knows neither clear nor value tables")
    if line.get("on_conflict", "lansweeper") != "lansweeper":
        raise ValueError("The model of the asset synchronization knows no other on_conflict than lansweeper")
    target = str(line["target"])
    target = target if target.startswith(prefix) else prefix + target
    authority = line.get("authority") or ("connectwise" if target == "type.name" else "lansweeper")
    return Field(target, str(line["source"]), "lansweeper" if target == LINK else authority, _kind(target))


def _kind(target: str) -> str:
    if target.startswith("customFields."):
        return "custom"
    if target.endswith(".name"):
        if target not in REFERENCES:
            raise ValueError(f"The model of the asset synchronization does not know {target}")
        return "reference"
    if target == "macAddress":
        return "mac"
    return "date" if target in DATES else "text"
