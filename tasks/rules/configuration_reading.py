"""Reading a ConnectWise configuration into the small record that is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tasks.rules.extraction import compile_extractor
from tasks.rules.identity import plain_text
from tasks.rules.records import ConfigurationRecord
from tasks.rules.targets import CUSTOM_FIELD_PREFIX, Kind, Target

_ALWAYS = ("id", "name", "activeFlag", "customFields", "serialNumber", "macAddress")


def compile_configuration_reader(
    targets: Sequence[tuple[Target, int | None]],
) -> Callable[[Mapping[str, Any]], ConfigurationRecord]:
    """A function from a wire record to its ``ConfigurationRecord``.

    ``targets`` are the fields in their order, each with its custom field id where one is known; the last
    one is the link field. Members come first in ``customFields`` order or none at all: a custom field is
    looked for by id, by caption if its id is not known, and is None where the record does not have it.
    """
    members = [(at, target.path) for at, (target, _) in enumerate(targets) if target.kind is not Kind.CUSTOM]
    customs = _CustomFields(targets)
    extract = compile_extractor([*_ALWAYS, *(path for _, path in members)])
    places = [at for at, _ in members]
    straight = places == list(range(len(places)))

    def read_configuration(record: Mapping[str, Any]) -> ConfigurationRecord:
        identity, name, active, fields, serial, mac, *values = extract(record)
        found = customs.read(fields)
        if straight:
            current = (*values, *found[len(values) :])
        else:
            for at, value in zip(places, values, strict=True):
                found[at] = value
            current = tuple(found)
        key = plain_text(current[-1])
        return ConfigurationRecord(identity, name, key, serial, mac, active is not False, current)

    return read_configuration


class _CustomFields:
    """Where each custom field's value goes, by id or else by caption."""

    def __init__(self, targets: Sequence[tuple[Target, int | None]]) -> None:
        self._size = len(targets)
        self._by_id: dict[Any, int] = {}
        self._by_caption: dict[str, int] = {}
        for at, (target, identity) in enumerate(targets):
            if target.kind is Kind.CUSTOM and identity is not None:
                self._by_id[identity] = at
            elif target.kind is Kind.CUSTOM:
                self._by_caption[_folded(target.path.removeprefix(CUSTOM_FIELD_PREFIX))] = at

    def read(self, fields: Iterable[Mapping[str, Any]] | None) -> list[Any]:
        """One place a mapped field, filled where the record carries that custom field."""
        found: list[Any] = [None] * self._size
        for entry in fields or ():
            at = self._by_id.get(entry.get("id"))
            if at is None and self._by_caption:
                at = self._by_caption.get(_folded(entry.get("caption")))
            if at is not None:
                found[at] = entry.get("value")
        return found


def _folded(caption: Any) -> str:
    return caption.strip().casefold() if isinstance(caption, str) else ""
