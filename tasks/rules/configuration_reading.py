"""Reading a ConnectWise configuration into the small record that is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tasks.rules.extraction import compile_reader
from tasks.rules.identity import plain_text
from tasks.rules.records import ConfigurationRecord
from tasks.rules.targets import CUSTOM_FIELD_PREFIX, Kind, Target

_ALWAYS = ("id", "name", "activeFlag", "serialNumber", "macAddress")


def compile_configuration_reader(
    targets: Sequence[tuple[Target, int | None]],
) -> Callable[[Mapping[str, Any]], ConfigurationRecord]:
    """A function from a wire record to its ``ConfigurationRecord``.

    ``targets`` are the fields in their order, each with its custom field id where one is known; the last
    one is the link field. A custom field is looked for by id, by caption if its id is not known, and is
    None where the record does not have it.
    """
    customs = [(target, identity) for target, identity in targets if target.kind is Kind.CUSTOM]
    paths = ["customFields" if target.kind is Kind.CUSTOM else target.path for target, _ in targets]
    # One generated function makes the whole record: a hundred thousand calls of a second one add up.
    return compile_reader(
        [*_ALWAYS, *paths],
        [None] * len(_ALWAYS) + _results(targets),
        {"read_customs": _CustomFields(customs).read, "key": plain_text, "record": ConfigurationRecord},
        "record(v0, v1, key(t[-1]), v3, v4, v2 is not False, t)",
    )


def _results(targets: Sequence[tuple[Target, int | None]]) -> list[str | None]:
    """Where each value comes from: the first custom field of the order reads all of them at once."""
    texts: list[str | None] = []
    customs = 0
    for target, _ in targets:
        if target.kind is not Kind.CUSTOM:
            texts.append("{v}")
            continue
        texts.append(f"found[{customs}]" if customs else "(found := read_customs({v}))[0]")
        customs += 1
    return texts


class _CustomFields:
    """Where each custom field's value goes, by id or else by caption."""

    def __init__(self, customs: Sequence[tuple[Target, int | None]]) -> None:
        self._size = len(customs)
        self._by_id: dict[Any, int] = {}
        self._by_caption: dict[str, int] = {}
        for at, (target, identity) in enumerate(customs):
            if identity is not None:
                self._by_id[identity] = at
            else:
                self._by_caption[_folded(target.path.removeprefix(CUSTOM_FIELD_PREFIX))] = at

    def read(self, fields: Iterable[Mapping[str, Any]] | None) -> list[Any]:
        """One place a mapped custom field, filled where the record carries that custom field."""
        found: list[Any] = [None] * self._size
        by_id, by_caption = self._by_id, self._by_caption
        for entry in fields or ():
            at = by_id.get(entry.get("id"))
            if at is None and by_caption:
                at = by_caption.get(_folded(entry.get("caption")))
            if at is not None:
                found[at] = entry.get("value")
        return found


def _folded(caption: Any) -> str:
    return caption.strip().casefold() if isinstance(caption, str) else ""
