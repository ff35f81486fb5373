"""The warnings of a plan: equal ones are told once, with how many assets they concern."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.rules.values import AssetRecord

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """One warning, the number of assets it concerns and up to three of them."""

    text: str
    count: int
    examples: tuple[AssetRecord, ...]


class WarningTally:
    """Counts equal warnings, so that 15,000 assets at one unknown location make one line."""

    def __init__(self) -> None:
        self._assets: dict[str, list[AssetRecord]] = {}

    def add(self, text: str, asset: AssetRecord) -> None:
        self._assets.setdefault(text, []).append(asset)

    def listed(self) -> list[PlanWarning]:
        """The most frequent first, then by text; the examples are the first names in sorting order."""
        found = [
            PlanWarning(
                text,
                len(assets),
                tuple(sorted(assets, key=lambda each: (each.name or each.key, each.key))[:_EXAMPLES]),
            )
            for text, assets in self._assets.items()
        ]
        return sorted(found, key=lambda each: (-each.count, each.text))
