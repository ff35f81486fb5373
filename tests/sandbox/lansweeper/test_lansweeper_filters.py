"""Asset filters: every operator, both conjunctions, groups, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.lansweeper.errors import RefusedError
from sandbox.lansweeper.reads import compile_filters

ASSET: dict[str, Any] = {
    "key": "k-1",
    "assetBasicInfo": {"name": "WKS-001", "type": "Windows", "lastSeen": "2026-04-01T08:00:00.000Z"},
    "operatingSystem": {"totalVisibleMemorySize": 8388608.0},
    "antiviruses": [{"name": "Defender", "enabled": True}, {"name": "Other", "enabled": False}],
}


def condition(path: str, operator: str, value: str) -> dict[str, str]:
    return {"path": path, "operator": operator, "value": value}


def accepts(*conditions: dict[str, str], conjunction: str | None = None, groups: Any = None) -> bool:
    filters = {"conditions": list(conditions), "conjunction": conjunction, "groups": groups}
    predicate = compile_filters(filters)
    assert predicate is not None
    return predicate(ASSET)


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("assetBasicInfo.type", "EQUAL", "Windows", True),
        ("assetBasicInfo.type", "EQUAL", "windows", False),
        ("assetBasicInfo.type", "NOT_EQUAL", "Linux", True),
        ("assetBasicInfo.mac", "NOT_EQUAL", "anything", True),
        ("assetBasicInfo.name", "LIKE", "wks", True),
        ("assetBasicInfo.name", "LIKE", "W%1", True),
        ("assetBasicInfo.name", "LIKE", "x", False),
        ("assetBasicInfo.type", "REGEXP", "^Windows$|^Linux$", True),
        ("assetBasicInfo.type", "REGEXP", "^Wind$", False),
        ("assetBasicInfo.mac", "EXISTS", "true", False),
        ("assetBasicInfo.mac", "EXISTS", "false", True),
        ("assetBasicInfo.lastSeen", "GREATER_THAN", "2026-03-01T00:00:00.000Z", True),
        ("assetBasicInfo.lastSeen", "SMALLER_THAN", "2026-04-01T08:00:00.000Z", False),
        ("assetBasicInfo.lastSeen", "SMALLER_THAN_OR_EQUAL", "2026-04-01T08:00:00.000Z", True),
        ("operatingSystem.totalVisibleMemorySize", "GREATER_THAN_OR_EQUAL", "9000", True),
        ("antiviruses.enabled", "EQUAL", "true", True),
        ("antiviruses.name", "EQUAL", "Other", True),
    ],
)
def test_operators(path: str, operator: str, value: str, expected: bool) -> None:
    assert accepts(condition(path, operator, value)) is expected


def test_conjunctions_and_groups() -> None:
    yes, no = condition("key", "EQUAL", "k-1"), condition("key", "EQUAL", "k-2")
    assert not accepts(yes, no)
    assert accepts(yes, no, conjunction="OR")
    assert accepts(yes, groups=[{"conditions": [no, yes], "conjunction": "OR"}])
    assert not accepts(yes, groups=[{"conditions": [no, yes]}])


@pytest.mark.parametrize("filters", [None, {}, {"conditions": [], "groups": []}])
def test_no_filter_at_all(filters: Any) -> None:
    assert compile_filters(filters) is None


def test_what_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"Invalid path: root\.nope for filter"):
        accepts(condition("nope", "EQUAL", "1"))
    with pytest.raises(RefusedError, match="Invalid regular expression"):
        accepts(condition("key", "REGEXP", "("))
    with pytest.raises(RefusedError, match="101 of 100"):
        accepts(*[condition("key", "EQUAL", str(n)) for n in range(101)])
