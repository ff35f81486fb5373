"""The answer of the Match Configurations action: matched[], unmatched[] and ambiguous[], ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.rules.comparing import differences
from tasks.rules.mapping import CompiledMapping
from tasks.rules.matches import MatchResult
from tasks.rules.records import AssetRecord, ConfigurationRecord


def match_answer(
    result: MatchResult, mapping: CompiledMapping, objects: Mapping[int, dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """``objects`` holds what the person gave, by the identity of the record that was read from it."""

    def given(asset: AssetRecord) -> dict[str, Any]:
        return objects[id(asset)]

    return {
        "matched": [
            {
                "asset": given(each.asset),
                "configuration": _configuration(each.configuration),
                "matchedOn": each.matched_on,
                "unmatchedFields": [
                    {"field": change.field, "current": change.current, "wanted": change.wanted}
                    for change in differences(each.asset, each.configuration, mapping)
                ],
            }
            for each in result.matched
        ],
        "unmatched": [
            {"asset": given(each.asset)} | ({"warning": each.warning} if each.warning else {})
            for each in result.unmatched
        ],
        "ambiguous": [
            {
                "asset": given(each.asset),
                "candidates": _configurations(each.candidates),
                "reason": each.reason,
            }
            for each in result.ambiguous
        ],
    }


def _configurations(records: Sequence[ConfigurationRecord]) -> list[dict[str, Any]]:
    return [_configuration(each) for each in records]


def _configuration(record: ConfigurationRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "serialNumber": record.serial,
        "macAddress": record.mac,
        "activeFlag": record.active,
        "customFields": {"ls_asset_id": record.asset_key},
    }
