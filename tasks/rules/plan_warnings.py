"""Warnings of a plan, told once each with how many assets they concern."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.rules.records import AssetRecord

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
        """Note the warning for the asset."""
        self._assets.setdefault(text, []).append(asset)

    def listed(self) -> list[PlanWarning]:
        """The most frequent first, then by text; the examples are the first names in sorting order."""
        found = [
            PlanWarning(text, len(assets), tuple(sorted(assets, key=_name_and_key)[:_EXAMPLES]))
            for text, assets in self._assets.items()
        ]
        return sorted(found, key=lambda each: (-each.count, each.text))


def _name_and_key(asset: AssetRecord) -> tuple[str, str]:
    return asset.name or asset.key, asset.key
