"""What Lansweeper and ConnectWise hold at one moment, as the judging of an enrichment needs it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.enrichment_model import FIELDS
from benchmarks.enrichment_truth import Truth
from deployments.local.sandbox import Sandbox

Asset = dict[str, Any]
ASSETS = "lansweeper/assets"
CUSTOM_FIELDS = "lansweeper/customFields"
LOCKS = "lansweeper/locks"
ENTRIES = "assetCustom.fields"
"""Where an asset's custom fields stand: a list of ``{"fieldKey", "name", "value"}``."""


@dataclass(frozen=True)
class Scene:
    """``assets`` by key, ``fields`` the custom fields, ``locks`` members of assets that edits locked."""

    assets: dict[str, Asset]
    fields: list[dict[str, Any]]
    locks: dict[str, list[str]]
    truth: Truth

    @classmethod
    def of(cls, sandbox: Sandbox) -> Scene:
        """Read it."""
        return cls(
            assets={each["key"]: each for each in sandbox.state(ASSETS)},
            fields=sandbox.state(CUSTOM_FIELDS),
            locks={each["key"]: each["members"] for each in sandbox.state(LOCKS)},
            truth=Truth(sandbox),
        )

    def field_keys(self) -> dict[str, str]:
        """Keys of the custom fields with a documented name -> that name."""
        return {each["key"]: name for each in self.fields if (name := documented(each["name"]))}

    def texts(self, key: str) -> dict[str, str]:
        """The documented texts that an asset has, by the name of the field."""
        names = self.field_keys()
        entries = (self.assets[key].get("assetCustom") or {}).get("fields") or []
        return {names[each["fieldKey"]]: str(each["value"]) for each in entries if each["fieldKey"] in names}

    def outcomes(self) -> dict[str, int]:
        """How many configurations of the company a run has to count as what; ``alone`` are those written."""
        claims, known = self.truth.claims(), self.assets
        there = {key: len(ids) for key, ids in claims.items() if key in known}
        linked = sum(map(len, claims.values()))
        return {
            "read": len(self.truth.configurations),
            "no_asset_id": len(self.truth.configurations) - linked,
            "asset_gone": linked - sum(there.values()),
            "contested": sum(number for number in there.values() if number > 1),
            "alone": sum(number == 1 for number in there.values()),
        }

    def alone(self) -> dict[str, int]:
        """The assets that exactly one configuration of the company claims, with its id."""
        claims = self.truth.claims()
        return {key: ids[0] for key, ids in claims.items() if len(ids) == 1 and key in self.assets}


def documented(name: str | None) -> str:
    """The documented field that this name means: Lansweeper takes no notice of case and outer blanks."""
    folded = (name or "").strip().casefold()
    return folded if folded in FIELDS else ""


def leaves(record: Any, left_out: Collection[str] = (), path: str = "") -> dict[str, Any]:
    """Every value of an asset by its path; a custom field stands at ``assetCustom.fields[key]``.

    Absent, null and empty objects are the same. ``left_out``: keys of custom fields that do not count.
    """
    if path == ENTRIES:
        return dict(_entries(record or (), left_out))
    if not isinstance(record, dict):
        return {} if record is None else {path: record}
    found: dict[str, Any] = {}
    for name, value in record.items():
        found |= leaves(value, left_out, f"{path}.{name}" if path else name)
    return found


def _entries(entries: Iterable[dict[str, Any]], left_out: Collection[str]) -> Iterable[tuple[str, Any]]:
    for each in entries:
        if each["fieldKey"] not in left_out:
            yield f"{ENTRIES}[{each['fieldKey']}]", each["value"]
