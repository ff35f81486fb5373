"""What two inventories have in common is kept once, and nothing else changes by that."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.performance.peers import make_assets, make_configurations, settled_configurations
from tasks.rules.asset_sync.compare import LOOK_AFTER, SharedValues
from tasks.rules.mapping.compile import CompiledMapping, compile_mapping
from tasks.rules.mapping.model import default_mappings

MAPPING = compile_mapping(default_mappings(), custom_field_ids={"ls_asset_id": 5})
SIZE = 1500


def copied(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As from an answer of its own: no text is the same object as another."""
    found: list[dict[str, Any]] = json.loads(json.dumps(records))
    return found


def kept_bytes(mapping: CompiledMapping, *, settled: bool, shared: bool) -> float:
    """Bytes an asset that stay of both sides, read in pages."""
    assets = make_assets(SIZE)
    records = settled_configurations(assets) if settled else []
    sharing = SharedValues(mapping)
    reads = (sharing.asset, sharing.configuration)
    plain = (mapping.read_asset, mapping.read_configuration)
    read_asset, read_configuration = reads if shared else plain
    tracemalloc.start()
    try:
        mine = [read_asset(each) for at in range(0, SIZE, 500) for each in copied(assets[at : at + 500])]
        theirs = [
            read_configuration(each)
            for at in range(0, len(records), 500)
            for each in copied(records[at : at + 500])
        ]
        del sharing, reads, read_asset, read_configuration
        assert len(mine) + len(theirs) == SIZE + len(records)
        return tracemalloc.get_traced_memory()[0] / SIZE
    finally:
        tracemalloc.stop()


def test_an_up_to_date_configuration_costs_little_beside_its_asset() -> None:
    alone = kept_bytes(MAPPING, settled=False, shared=True)
    both = kept_bytes(MAPPING, settled=True, shared=True)
    assert alone < 1500
    assert both - alone < 400
    assert both < 0.7 * kept_bytes(MAPPING, settled=True, shared=False)


@pytest.mark.parametrize("configurations_first", [True, False])
def test_what_is_read_is_the_same_with_and_without_sharing(configurations_first: bool) -> None:
    assets = make_assets(2 * LOOK_AFTER + 1)
    records = make_configurations(assets, linked=True)
    sharing = SharedValues(MAPPING)
    sides = [
        (sharing.asset, MAPPING.read_asset, assets),
        (sharing.configuration, MAPPING.read_configuration, records),
    ]
    for shared, plain, items in reversed(sides) if configurations_first else sides:
        assert [shared(each) for each in copied(items)] == [plain(each) for each in items]


VALUES = st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, "1", "a", " a", "A"])


@given(st.lists(st.tuples(st.sampled_from(["k", "K", ""]), st.booleans(), VALUES, VALUES), max_size=8))
def test_equal_values_of_another_type_are_not_taken_for_one_another(
    read: list[tuple[str, bool, Any, Any]],
) -> None:
    mapping = compile_mapping(default_mappings()[:2], custom_field_ids={"ls_asset_id": 5})
    sharing = SharedValues(mapping)
    for key, is_asset, name, kind in read:
        if is_asset:
            item: dict[str, Any] = {"key": key, "assetBasicInfo": {"name": name, "type": kind}}
            assert repr(sharing.asset(item)) == repr(mapping.read_asset(item))
        else:
            link = [{"id": 5, "value": key}]
            item = {"id": 1, "name": name, "type": {"name": kind}, "customFields": link}
            assert repr(sharing.configuration(item)) == repr(mapping.read_configuration(item))
