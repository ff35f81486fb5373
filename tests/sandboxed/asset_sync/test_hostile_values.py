"""Whatever one asset or configuration holds, its neighbours are written, and nothing is made twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.connectwise.collection import Collection
from connectors.lansweeper.assets import AssetReader
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


def nested(levels: int = 900) -> Any:
    value: Any = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"name": value}
    return value


OF_AN_ASSET: list[tuple[str, Any]] = [
    ("assetBasicInfo", None),
    ("assetBasicInfo", "text"),
    ("assetBasicInfo", [1, 2]),
    ("assetBasicInfo.name", True),
    ("assetBasicInfo.name", nested()),
    ("assetBasicInfo.name", "x" * 1_000_000),
    ("assetBasicInfo.name", "\u0000\u202e\ufffd"),
    ("assetBasicInfo.type", {"a": 1}),
    ("assetBasicInfo.mac", 2**63),
    ("assetBasicInfo.lastSeen", "9999-12-31T23:59:59+23:59"),
    ("assetBasicInfo.firstSeen", "0000-00-00T00:00:00"),
    ("assetCustom", 7),
    ("assetCustom.serialNumber", -(10**18)),
    ("assetCustom.serialNumber", ["S1", ["S2"]]),
    ("assetCustom.purchaseDate", 1e300),
    ("assetCustom.warrantyDate", "0001-01-01T00:00:00-12:00"),
    ("assetCustom.manufacturer", nested()),
    ("assetCustom.model", [None]),
    ("softwares", [None, 3, {"name": nested()}, {"name": None, "version": {}}]),
    ("softwares", "all"),
    ("operatingSystem", [{}]),
    ("url", 5),
]
OF_A_CONFIGURATION: list[tuple[str, Any]] = [
    ("name", None),
    ("name", nested()),
    ("name", ["a"]),
    ("type", "Windows"),
    ("type", {"id": [1], "name": {"a": 1}}),
    ("status", [None]),
    ("manufacturer", {"id": -1, "name": 5}),
    ("location", None),
    ("company", None),
    ("company", [1]),
    ("activeFlag", "no"),
    ("purchaseDate", "9999-12-31T23:59:59+23:59"),
    ("serialNumber", 2**63),
    ("macAddress", True),
]


def laid(record: dict[str, Any], path: str, value: Any) -> None:
    """The value at the path, where the record has a place for it."""
    first, _, below = path.partition(".")
    if not below:
        record[first] = value
    elif isinstance(record.get(first), dict):
        record[first] = {**record[first], below: value}


async def test_one_hostile_value_costs_its_own_record_alone(
    runner: FlowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = sorted(each["key"] for each in runner.sandbox.state("lansweeper/assets"))
    assets = dict(zip(keys[: len(OF_AN_ASSET)], OF_AN_ASSET, strict=True))
    numbers = sorted(each["id"] for each in runner.configurations())
    configurations = dict(zip(numbers, OF_A_CONFIGURATION, strict=False))
    next_items, pages = AssetReader.next_items, Collection.pages

    async def spoilt_items(reader: AssetReader) -> list[dict[str, Any]]:
        items = await next_items(reader)
        for each in items:
            if each["key"] in assets:
                laid(each, *assets[each["key"]])
        return items

    async def spoilt_pages(collection: Collection, *given: Any, **search: Any) -> AsyncIterator[Any]:
        async for page in pages(collection, *given, **search):
            for each in page if collection.path.text == "/company/configurations" else ():
                if each["id"] in configurations:
                    laid(each, *configurations[each["id"]])
            yield page

    monkeypatch.setattr(AssetReader, "next_items", spoilt_items)
    monkeypatch.setattr(Collection, "pages", spoilt_pages)
    first = await runner.report()
    # No good asset is left out for the sake of another's value.
    left = await runner.artifact("asset-synchronization-report")
    made = {key: count for key, count in runner.asset_keys().items() if key not in assets}
    assert set(made.values()) == {1}
    assert first.counts.created + first.counts.modified >= len(keys) - len(assets) - len(configurations)
    assert not [each for each in first.failures if each.asset_key not in assets], first.failures
    assert "The rest can't be shown" not in left
    before = runner.asset_keys()
    second = await runner.report()
    assert (runner.asset_keys(), second.counts.created) == (before, 0)
    monkeypatch.undo()
    await runner.report()
    assert set(runner.asset_keys().values()) == {1}
