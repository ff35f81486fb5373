"""Warnings of a plan, told once each with how many assets they concern."""

from __future__ import annotations

from dataclasses import dataclass

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """One warning, the number of assets it concerns and up to three of their names."""

    text: str
    count: int
    examples: tuple[str, ...]


class WarningTally:
    """Counts equal warnings, so that 15,000 assets at one unknown location make one line."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, text: str, name: str) -> None:
        """Note the warning for the asset of that name."""
        self._names.setdefault(text, []).append(name)

    def listed(self) -> list[PlanWarning]:
        """The most frequent first, then by text; the examples are the first names in sorting order."""
        found = [
            PlanWarning(text, len(names), tuple(sorted(names)[:_EXAMPLES]))
            for text, names in self._names.items()
        ]
        return sorted(found, key=lambda each: (-each.count, each.text))
