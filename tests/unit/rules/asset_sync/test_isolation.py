"""An asset that can't be compared is skipped with why, and the others are planned."""

from __future__ import annotations

from tasks.rules.asset_sync.match_result import Match, MatchResult
from tasks.rules.asset_sync.plan import build_plan, compare_matched
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import FieldMapping
from tasks.rules.values import AssetRecord, ConfigurationRecord


class _Spoilt:
    """A value that can't be compared."""

    def __eq__(self, other: object) -> bool:
        raise OverflowError("date value out of range")

    __hash__ = None  # type: ignore[assignment]


def test_an_asset_that_can_not_be_compared_is_skipped() -> None:
    mapping = compile_mapping([FieldMapping(source="a.name", target="name")])
    pairs = [
        Match(
            AssetRecord(f"key{number}", "pc", None, None, (value, f"key{number}")),
            ConfigurationRecord(number, "old", f"key{number}", None, None, True, ("old", f"key{number}")),
            "link",
        )
        for number, value in enumerate(["new", _Spoilt(), "old"])
    ]
    compared = compare_matched(pairs, mapping)
    plan = build_plan(MatchResult(matched=pairs), compared, mapping, {})
    assert (plan.counts.modified, plan.counts.unchanged, plan.counts.skipped) == (1, 1, 1)
    assert [each.asset_key for each in plan.skipped] == ["key1"]
    assert plan.skipped[0].reason.startswith("a number or date in it is out of range")
