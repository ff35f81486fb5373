"""The authority ``merge``: whose value holds, by what both sides agreed on last (the base).

    Lansweeper against base   ConnectWise against base   what becomes of the field
    as the base               as the base                nothing
    changed                   as the base                Lansweeper's value is written
    as the base               changed                    a person's edit: kept, and counted
    changed                   changed alike              nothing
    changed                   changed apart              a conflict: as the mapping's ``on_conflict`` says
    no base                                              as with the authority ``lansweeper``

Lansweeper's value is the wanted one, with prefix and value table. Where Lansweeper has nothing, and the
mapping does not say ``clear``, it says nothing: ConnectWise is left alone. A filler in ConnectWise stands for
nothing where the base is nothing.

A base lives in the ledger as JSON text: journal key (a member of the record, ``customFields/<id>``) -> value,
null for nothing. It changes only where both sides are known to agree: read equal, or written. ``Bases`` holds
those of one run. A long text is kept by its digest, so that a base stays small.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from connectors.ledger.models import FieldWrite, MergeBase
from tasks.rules.edits import Edit
from tasks.rules.mapping.comparison import is_absent, same
from tasks.rules.mapping.compile import CompiledMapping, MappedField
from tasks.rules.mapping.model import Authority, OnConflict
from tasks.rules.mapping.targets import ValueKind
from tasks.rules.values import AssetRecord, ConfigurationRecord, FieldChange, plain_text

Base = Mapping[str, Any]
NO_BASE: Base = {}
LONGEST_BASE = 300
"""Characters of a text that is kept as it is."""
_DIGEST, _BEGINNING = "sha256", "begins"


class Merged(StrEnum):
    """What becomes of one field; see the table in the module's docstring."""

    SAME = "same"
    WRITE = "write"
    KEPT = "kept"
    CONFLICT = "conflict"


def journal_key(mapped: MappedField) -> str | None:
    """How journal and base name the field; None for a custom field whose id is not known."""
    if mapped.target.kind is not ValueKind.CUSTOM:
        return mapped.target.field
    return None if mapped.custom_field_id is None else f"customFields/{mapped.custom_field_id}"


def merge_outcome(mapped: MappedField, base: Base, wanted: Any, current: Any) -> Merged:
    """What becomes of one field; ``wanted`` is Lansweeper's value, ``current`` what ConnectWise has."""
    kind = mapped.target.kind
    if says_nothing(mapped, wanted) or same(kind, current, wanted):
        return Merged.SAME
    key = journal_key(mapped)
    if key is None or key not in base:
        return Merged.WRITE
    agreed = base[key]
    if is_base(kind, agreed, wanted):
        return Merged.KEPT
    if is_base(kind, agreed, current) or (agreed is None and mapped.is_filler(current)):
        return Merged.WRITE
    return Merged.CONFLICT


def says_nothing(mapped: MappedField, wanted: Any) -> bool:
    """Whether ConnectWise is left alone: no value without ``clear``, or a filler for the name.

    A configuration needs a name, so an asset without one brings its filler: for a new configuration only.
    """
    if is_absent(wanted):
        return not mapped.clear
    return mapped.path == "name" and not mapped.values and mapped.is_filler(wanted)


def is_written(mapped: MappedField, base: Base, wanted: Any, current: Any) -> bool:
    """Whether Lansweeper's value is to be written."""
    merged = merge_outcome(mapped, base, wanted, current)
    wins = mapped.on_conflict is OnConflict.LANSWEEPER
    return merged is Merged.WRITE or (merged is Merged.CONFLICT and wins)


def edits(
    asset: AssetRecord, configuration: ConfigurationRecord, mapping: CompiledMapping, base: Base
) -> list[Edit]:
    """The fields that were changed in ConnectWise, in the mapping's order."""
    found = []
    for mapped, wanted, current in zip(mapping.fields, asset.wanted, configuration.current, strict=True):
        if mapped.authority is not Authority.MERGE or wanted == current:
            continue
        merged = merge_outcome(mapped, base, wanted, current)
        if merged not in (Merged.KEPT, Merged.CONFLICT):
            continue
        name = configuration.name or asset.name or asset.key
        agreed = shown_base(base.get(journal_key(mapped) or ""))
        policy = mapped.on_conflict if merged is Merged.CONFLICT else None
        found.append(Edit(asset.key, configuration.id, name, mapped.path, agreed, wanted, current, policy))
    return found


def is_base(kind: ValueKind, agreed: Any, value: Any) -> bool:
    """Whether a value says the same as the one that was agreed on."""
    if isinstance(agreed, Mapping):
        return _digest_of(value) == agreed.get(_DIGEST)
    return same(kind, agreed, value)


def kept_base(value: Any) -> Any:
    """The value as a base keeps it: nothing as null, a long text by its digest."""
    if is_absent(value):
        return None
    if isinstance(value, str) and len(value) > LONGEST_BASE:
        return {_DIGEST: _digest_of(value), _BEGINNING: value[:60]}
    return value


def shown_base(agreed: Any) -> Any:
    """The value, or how it begins."""
    return f"{agreed.get(_BEGINNING)}…" if isinstance(agreed, Mapping) else agreed


def _digest_of(value: Any) -> str:
    text = (plain_text(value) or "").replace("\r\n", "\n").replace("\r", "\n")
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


@dataclass
class Bases:
    """The bases of one run's assets, by asset key; an empty one knows none.

    Attributes:
        kept: the ledger's rows.
        changed: the rows to keep, as they are now.
    """

    mapping: CompiledMapping
    kept: Mapping[str, MergeBase] = field(default_factory=dict)
    changed: dict[str, MergeBase] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fields = [
            (at, key, each)
            for at, each in enumerate(self.mapping.fields)
            if each.authority is Authority.MERGE and (key := journal_key(each)) is not None
        ]
        self._fields = fields
        self._positions = [at for at, _, _ in fields]
        self._keys = [key for _, key, _ in fields]
        self._customs = any(each.target.kind is ValueKind.CUSTOM for _, _, each in fields)
        self._kinds = {key: each.target.kind for _, key, each in fields}
        self._writes: dict[str, list[FieldWrite]] = defaultdict(list)
        self._names: Mapping[str, Mapping[int, str]] = {}
        self._sent: dict[str, str] = {}

    @property
    def matter(self) -> bool:
        """Whether any field is decided by them."""
        return bool(self._fields)

    def learn(self, writes: Iterable[FieldWrite], names: Mapping[str, Mapping[int, str]]) -> None:
        """Writes that the rows do not know of, in their order; ``names``: target path -> id -> name."""
        for each in writes:
            self._writes[each.asset_key].append(each)
        members = {each.path: key for _, key, each in self._fields}
        self._names = {members[path]: found for path, found in names.items() if path in members}

    def of(self, asset: AssetRecord, configuration: ConfigurationRecord) -> Base:
        """What the pair agreed on last; of another configuration than the row's nothing is known."""
        if not self._fields:
            return NO_BASE
        row = self.changed.get(asset.key) or self.kept.get(asset.key)
        known = row is not None and row.configuration_id == configuration.id
        base: dict[str, Any] = _of_text(row.agreed) if row is not None and known else {}
        if asset.key in self._writes:
            writes = [each for each in self._writes[asset.key] if each.configuration_id == configuration.id]
            held = self._by_key(configuration)
            for write in writes:
                base = self._after(base, write, held)
        return base

    def see(self, asset: AssetRecord, configuration: ConfigurationRecord) -> None:
        """Take over what a pair that was read agrees on."""
        if not self._fields:
            return
        wanted = [asset.wanted[at] for at in self._positions]
        current = [configuration.current[at] for at in self._positions]
        if wanted == current and None not in wanted and asset.key not in self._writes:
            self._note(asset.key, configuration.id, dict(zip(self._keys, wanted, strict=True)))
            return
        base = self.of(asset, configuration)
        agreed = {**base}
        for (_, key, mapped), want, have in zip(self._fields, wanted, current, strict=True):
            if _agree(mapped, key in base, want, have) and not (
                key in base and is_base(mapped.target.kind, base[key], want)
            ):
                agreed[key] = want
        self._writes.pop(asset.key, None)
        self._note(asset.key, configuration.id, agreed)

    def unclear(self, asset: AssetRecord, now: ConfigurationRecord, changes: Sequence[FieldChange]) -> None:
        """A request for these changes had no answer: what is no longer as before it was written by it."""
        held = dict(zip((each.path for each in self.mapping.fields), now.current, strict=True))
        self.wrote(
            asset,
            now,
            [
                each
                for each in changes
                if not same(self.mapping.by_path[each.field].target.kind, held[each.field], each.current)
            ],
        )

    def wrote(
        self, asset: AssetRecord, configuration: ConfigurationRecord, changes: Iterable[FieldChange]
    ) -> None:
        """These changes are known to be written."""
        keys = {each.path: key for _, key, each in self._fields}
        values = {keys[each.field]: each.wanted for each in changes if each.field in keys}
        if values:
            self._note(asset.key, configuration.id, {**self.of(asset, configuration), **values})

    def sends(self, asset: AssetRecord, record: Mapping[str, Any]) -> None:
        """This record is about to be created: what it holds is agreed on once it is there."""
        if not self._fields:
            return
        sent = _members(record) if self._customs else record
        wanted = asset.wanted
        self._sent[asset.key] = _text({key: wanted[at] for at, key, _ in self._fields if key in sent})

    def created(self, asset_key: str, configuration_id: int) -> None:
        """The record that was sent last for the asset is this configuration."""
        if (agreed := self._sent.pop(asset_key, None)) is not None:
            self.changed[asset_key] = MergeBase(configuration_id, agreed)

    def finish(self) -> None:
        """Take over the known writes to assets that this run did not look at, as with a filter of assets."""
        for key, writes in self._writes.items():
            for write in writes:
                row = self.changed.get(key) or self.kept.get(key)
                known = row is not None and row.configuration_id == write.configuration_id
                base: dict[str, Any] = _of_text(row.agreed) if row is not None and known else {}
                if write.is_done:
                    self._note(key, write.configuration_id, self._after(base, write, {}))
        self._writes.clear()

    def _note(self, asset_key: str, configuration_id: int, agreed: Base) -> None:
        text, kept = _text(agreed), self.kept.get(asset_key)
        if kept is None:
            known = not agreed
        else:
            known = kept.agreed == text and kept.configuration_id == configuration_id
        if known:
            self.changed.pop(asset_key, None)
        else:
            self.changed[asset_key] = MergeBase(configuration_id, text)

    def _by_key(self, configuration: ConfigurationRecord) -> dict[str, Any]:
        return {key: configuration.current[at] for at, key, _ in self._fields}

    def _after(self, base: dict[str, Any], write: FieldWrite, held: Mapping[str, Any]) -> dict[str, Any]:
        """The base after a write; of one with an unknown outcome the record tells whether it was done."""
        after, before = _members(write.after), _members(write.before)
        found = dict(base)
        for key, kind in self._kinds.items():
            if key not in after:
                continue
            value = self._named(key, after[key])
            undone = not write.is_done and same(kind, held[key], self._named(key, before.get(key)))
            if value is not _NAMELESS and not undone:
                found[key] = value
        return found

    def _named(self, key: str, value: Any) -> Any:
        """The value as the mapping reads it: a reference by its name."""
        if not isinstance(value, Mapping):
            return value
        return value.get("name") or self._names.get(key, {}).get(value.get("id", 0), _NAMELESS)


_NAMELESS = object()
"""A reference of which only the id is known, and no record has it: it says nothing of the base."""


def _agree(mapped: MappedField, is_known: bool, wanted: Any, current: Any) -> bool:
    """Whether both sides agree: on a value, or on nothing where nothing was known or ``clear`` says so."""
    if says_nothing(mapped, wanted):
        return not is_known and is_absent(wanted) and is_absent(current)
    return same(mapped.target.kind, current, wanted)


def _members(values: Mapping[str, Any]) -> dict[str, Any]:
    """By journal key; a created record has its custom fields in a list."""
    custom = values.get("customFields") or ()
    return {**values, **{f"customFields/{each['id']}": each.get("value") for each in custom}}


def _text(agreed: Base) -> str:
    """As the ledger keeps it; half an emoji, or a number of more than 64 bits, takes the slower way."""
    for value in agreed.values():
        if value.__class__ is not str or len(value) > LONGEST_BASE:
            agreed = {key: kept_base(each) for key, each in agreed.items()}
            break
    try:
        return orjson.dumps(agreed, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return json.dumps(agreed, default=str, sort_keys=True)


def _of_text(text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = json.loads(text)
    return found
