"""Records that the mapping fails on: each keeps its place in the matching, and nothing is written of it.

An asset that is left out would count as gone, and a configuration that is left out as absent, so that its
asset would be created a second time. So both stay, with what of them can be read alone: the keys. Where not
even a configuration's asset key can be read, it may be any asset's: none is created or linked in that run,
but for those that the ledger knows it not to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tasks.rules.asset_sync.matching.result import Ambiguous, MatchResult
from tasks.rules.asset_sync.reading import to_be_linked
from tasks.rules.expressions import compile_extractor
from tasks.rules.isolation import UnreadRecord
from tasks.rules.mapping.compile import CompiledMapping, compile_configuration_reader
from tasks.rules.text import counted
from tasks.rules.values import AssetRecord, ConfigurationRecord, folded, plain_text

_EXAMPLES = 5


class UnreadRecords:
    """The records of one run that could not be read, and why.

    ``assets`` are by key, ``configurations`` by id. ``unkeyed``: ids of configurations of which not even the
    asset key is known, 0 for one without an id.
    """

    def __init__(self, mapping: CompiledMapping) -> None:
        self._mapping = mapping
        self._names = {
            member: compile_extractor([mapping.by_path[path].source])
            for member, path in (("name", "name"), ("serial", "serialNumber"), ("mac", "macAddress"))
            if path in mapping.by_path
        }
        self._link = link = mapping.fields[-1]
        self._key = compile_extractor([link.source])
        self._keys_alone = compile_configuration_reader([(link.target, link.custom_field_id)])
        self.assets: dict[str, str] = {}
        self.configurations: dict[int, str] = {}
        self.unkeyed: set[int] = set()

    def assets_of(self, unread: Iterable[UnreadRecord]) -> list[AssetRecord]:
        """Stand-ins of assets, with their keys alone; one whose key is not known has an empty one."""
        return [self._asset(each) for each in unread]

    def configurations_of(self, unread: Iterable[UnreadRecord]) -> list[ConfigurationRecord]:
        """Stand-ins of configurations, with their keys alone; one without an id has none."""
        found = (self._configuration(each) for each in unread)
        return [each for each in found if each.id]

    def read_configuration(self, record: Mapping[str, Any]) -> ConfigurationRecord:
        """A configuration that is read by itself, or its stand-in."""
        try:
            return self._mapping.read_configuration(record)
        except Exception:
            return self._configuration(UnreadRecord(record, "its fields can't be read"))

    def set_apart(self, result: MatchResult, unread_assets: Mapping[int, str]) -> None:
        """Make ambiguous what was matched or not by a record that could not be read, with why.

        ``unread_assets``: why an asset was not read, by the identity of its stand-in; assets that a person
        gives need no keys.
        """
        strangers = sorted(self.unkeyed)
        unkeyed = _stranger_words(strangers[0]) if strangers else None
        matched, unmatched = result.matched, result.unmatched
        result.matched, result.unmatched = [], []
        for match in matched:
            why = unread_assets.get(id(match.asset)) or self.configurations.get(match.configuration.id)
            if why := why or (unkeyed if match.matched_on != "link" else None):
                result.ambiguous.append(Ambiguous(match.asset, [match.configuration], why))
            else:
                result.matched.append(match)
        for each in unmatched:
            if why := unread_assets.get(id(each.asset)) or unkeyed:
                result.ambiguous.append(Ambiguous(each.asset, [], why))
            else:
                result.unmatched.append(each)

    def held(self, matched: MatchResult, known: Mapping[str, int]) -> dict[str, str]:
        """Why nothing is written of an asset, by its key; ``known``: asset key -> configuration id."""
        found = dict(self.assets)
        for match in matched.matched:
            if (reason := self.configurations.get(match.configuration.id)) is not None:
                found.setdefault(match.asset.key, reason)
        if not self.unkeyed:
            return found
        theirs = {key: record_id for key, record_id in known.items() if record_id in self.unkeyed}
        for key, record_id in theirs.items():
            found.setdefault(key, self.configurations[record_id])
        if strangers := sorted(self.unkeyed - set(theirs.values())):
            why = _stranger_words(strangers[0])
            for asset in to_be_linked(matched):
                found.setdefault(asset.key, why)
        return found

    def notes(self) -> list[str]:
        """What a person should know of it, a sentence a side."""
        return [
            *_note("asset", self.assets),
            *_note("configuration", {str(key): why for key, why in self.configurations.items()}),
        ]

    def _asset(self, unread: UnreadRecord) -> AssetRecord:
        key = _text(self._key, unread.record) or ""
        self.assets[key] = f"it could not be read: {unread.reason}"
        texts = {member: _text(read, unread.record) for member, read in self._names.items()}
        wanted = (*[None] * (len(self._mapping.fields) - 1), key)
        return AssetRecord(key, texts.get("name"), texts.get("serial"), texts.get("mac"), wanted)

    def _with_objects_alone(self, record: Any) -> Any:
        """The configuration without what is no object in ``customFields``, if the asset key's is left.

        Where it is not, what is no object may stand in its place: then the key is not known.
        """
        fields = record.get("customFields") if isinstance(record, Mapping) else None
        if not isinstance(fields, list):
            return record
        told = [each for each in fields if isinstance(each, Mapping) and isinstance(each.get("id"), int)]
        return {**record, "customFields": told} if any(map(self._is_link, told)) else record

    def _is_link(self, entry: Mapping[str, Any]) -> bool:
        if self._link.custom_field_id is not None:
            return bool(entry.get("id") == self._link.custom_field_id)
        return folded(str(entry.get("caption") or "")) == folded(self._link.caption or "")

    def _configuration(self, unread: UnreadRecord) -> ConfigurationRecord:
        try:
            record = self._keys_alone(self._with_objects_alone(unread.record))
            record.id = _number(record.id)
            record.name, record.serial, record.mac = map(plain_text, (record.name, record.serial, record.mac))
        except Exception:
            given = unread.record.get("id") if isinstance(unread.record, Mapping) else 0
            record = ConfigurationRecord(_number(given), None, None, None, None, True, ())
            self.unkeyed.add(record.id)
        record.current = (*[None] * (len(self._mapping.fields) - 1), record.asset_key)
        self.configurations[record.id] = f"configuration {record.id} could not be read: {unread.reason}"
        return record


def _stranger_words(number: int) -> str:
    named = number or "without an id"
    return f"the asset key of configuration {named} can't be read, so it may be this asset's"


def _text(read: Callable[[Any], tuple[Any, ...]], item: Any) -> str | None:
    try:
        return plain_text(read(item)[0])
    except Exception:
        return None


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _note(unit: str, reasons: Mapping[str, str]) -> list[str]:
    if not reasons:
        return []
    named = "; ".join(f"{key}: {why}" for key, why in sorted(reasons.items())[:_EXAMPLES])
    more = f" and {len(reasons) - _EXAMPLES} more" if len(reasons) > _EXAMPLES else ""
    return [
        f"{counted(len(reasons), unit)} could not be read and nothing was written of them: {named}{more}."
    ]
