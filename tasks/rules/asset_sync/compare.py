"""Compare matched pairs: which mapped fields ConnectWise should be given, by the authority of each.

``SharedValues`` reads both inventories and interns equal values: every page of an answer brings its own copy
of each text, of a hundred thousand assets the same few makers, models and systems come again and again, and a
configuration that is up to date holds all its asset's values.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import ne
from typing import Any

from tasks.rules.asset_sync.merge import NO_BASE, Base, is_written
from tasks.rules.mapping.comparison import is_absent, same
from tasks.rules.mapping.compile import CompiledMapping, MappedField
from tasks.rules.mapping.model import Authority
from tasks.rules.values import AssetRecord, ConfigurationRecord, FieldChange

LOOK_AFTER = 1000
"""Records after which it is known whether a field repeats its values; one that does not is given up."""
Values = tuple[Any, ...]


def differences(
    asset: AssetRecord, configuration: ConfigurationRecord, mapping: CompiledMapping, base: Base = NO_BASE
) -> list[FieldChange]:
    """The fields that should be written to the configuration, in the mapping's order.

    Authority ``connectwise`` never shows up here, ``fill`` only where ConnectWise has nothing or a filler,
    ``merge`` as the ``base`` says, which is what both sides agreed on last. A value that Lansweeper does not
    have leaves ConnectWise's alone, unless the mapping says ``clear``.
    """
    wanted, current = asset.wanted, configuration.current
    if wanted == current:
        return []
    unequal = compress(zip(mapping.fields, wanted, current, strict=True), map(ne, wanted, current))
    return [
        FieldChange(mapped.target.path, have, want)
        for mapped, want, have in unequal
        if (want is not None or mapped.clear) and _is_change(mapped, have, want, base)
    ]


def _is_change(mapped: MappedField, current: Any, wanted: Any, base: Base) -> bool:
    if mapped.authority is Authority.CONNECTWISE:
        return False
    if mapped.authority is Authority.MERGE:
        return is_written(mapped, base, wanted, current)
    absent = is_absent(wanted)
    if absent and not mapped.clear:
        return False
    # ConnectWise has nothing in many fields, the link of a first load above all: looked at once.
    if absent if current is None else same(mapped.target.kind, current, wanted):
        return False
    if mapped.authority is Authority.FILL and not (is_absent(current) or mapped.is_filler(current)):
        return False
    # A configuration needs a name, so an asset without one brings its filler: for a new configuration only.
    return not (mapped.path == "name" and not mapped.values and mapped.is_filler(wanted))


class SharedValues:
    """Reads both sides of one run through a mapping; the records that it makes share equal values.

    What is read does not depend on the order, nor on what is shared: a value only ever gives way to an equal
    one of the same type. One object serves one run and is dropped when both sides are read.
    """

    def __init__(self, mapping: CompiledMapping) -> None:
        self._mapping = mapping
        self._by_key: dict[str, Values] = {}
        self._columns: list[dict[str, str] | None] = [{} for _ in mapping.fields]
        self._seen = 0
        self._members = [
            (member, position)
            for member, path in (("name", "name"), ("serial", "serialNumber"), ("mac", "macAddress"))
            if (position := mapping.position(path)) is not None
        ]

    def asset(self, item: Any) -> AssetRecord:
        record = self._mapping.read_asset(item)
        record.wanted = self._shared(record.key, record.wanted)
        self._lead(record, record.wanted)
        return record

    def configuration(self, item: Mapping[str, Any]) -> ConfigurationRecord:
        record = self._mapping.read_configuration(item)
        record.current = self._shared(record.asset_key, record.current)
        if record.asset_key == record.current[-1]:
            record.asset_key = record.current[-1]
        self._lead(record, record.current)
        return record

    def _lead(self, record: AssetRecord | ConfigurationRecord, values: Values) -> None:
        """Members beside the values are the values' own objects where they are equal."""
        for member, position in self._members:
            if values[position] is not None and getattr(record, member) == values[position]:
                setattr(record, member, values[position])

    def _shared(self, key: str | None, values: Values) -> Values:
        """The values of the record that was read under the same key before, as far as they are equal."""
        known = self._by_key.get(key) if key else None
        if known is not None:
            alike = known == values and list(map(type, known)) == list(map(type, values))
            return known if alike else tuple(map(_one_of, known, values))
        self._note_columns()
        kept = tuple(
            value if column is None or value.__class__ is not str else column.setdefault(value, value)
            for column, value in zip(self._columns, values, strict=True)
        )
        if key:
            self._by_key[key] = kept
        return kept

    def _note_columns(self) -> None:
        """Give up the fields whose values hardly repeat: looking them up would keep more than it saves."""
        self._seen += 1
        if self._seen % LOOK_AFTER == 0:
            self._columns = [
                None if column is None or len(column) > self._seen / 2 else column for column in self._columns
            ]


def _one_of(known: Any, value: Any) -> Any:
    return known if known.__class__ is value.__class__ and known == value else value
