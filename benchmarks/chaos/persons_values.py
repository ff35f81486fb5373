"""What persons wrote into Lansweeper's assets during a schedule: no side effects of the flow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.chaos.enrichment_faults import ASSETS, ENTRIES, leaves
from benchmarks.chaos.schedule import Mishap


class PersonsValues:
    """The values that persons may have left at each path; None: they may have emptied it."""

    def __init__(self, mishaps: Iterable[Mishap]) -> None:
        self._values: dict[str, list[Any]] = defaultdict(list)
        self._certain: list[tuple[str, Any]] = []
        self.deletes = False
        for action, certain in _actions(mishaps):
            self.deletes = self.deletes or bool(action.get("delete"))
            for path, value in _flat(action.get("set") or {}).items():
                self._values[path].append(value)
                if certain and value is not None and not path.startswith(ENTRIES):
                    self._certain.append((path, value))

    def explain(self, path: str, value: Any) -> bool:
        """Whether a person may have left this value there."""
        if value in self._values.get(path, ()):
            return True
        whole = ENTRIES if path.startswith(f"{ENTRIES}[") else path
        # A person who sets all custom fields at once takes away those that he does not name.
        return value is None and any(each is None or whole == ENTRIES for each in self._values.get(whole, ()))

    def marks(self) -> Iterator[tuple[str, Any]]:
        """Values that were certainly written and that nobody wrote over: an asset still has to have them."""
        for path, value in self._certain:
            if not self.deletes and len(self._values[path]) == 1:
                yield path, value


def _actions(mishaps: Iterable[Mishap]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Persons' edits and deletions of assets, and whether they happened in any case: between the runs."""
    for mishap in mishaps:
        during = [rule["fault"] for rule in mishap.faults if rule["fault"]["kind"] == "edit"]
        for each, certain in [*((one, False) for one in during), *((one, True) for one in mishap.people)]:
            if each.get("collection") == ASSETS:
                yield _as_edit(each), certain


def _as_edit(action: dict[str, Any]) -> dict[str, Any]:
    if action.get("do") == "delete":
        return {"delete": True}
    changes = action.get("set", action.get("changes"))
    return {"set": changes, "delete": action.get("delete", False)}


def _flat(changes: dict[str, Any]) -> dict[str, Any]:
    """Dotted paths and nested objects alike, by their full paths; nulls are kept."""
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if name == ENTRIES:
            found |= {ENTRIES: value, **leaves(value, (), ENTRIES)}
        elif isinstance(value, dict):
            found |= _flat({f"{name}.{member}": each for member, each in value.items()})
        else:
            found[name] = value
    return found


def mishaps_of(runs: Sequence[Any]) -> list[Mishap]:
    """The mishaps of the disturbed runs, in their order."""
    return [each.mishap for each in runs if each.mishap is not None]
