"""Field paths in groups, selections, joining of parts, filters: the pure parts of the client."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import RejectedError, StopError
from connectors.lansweeper.assets import AssetJoin
from connectors.lansweeper.graphql import (
    MOST_PATHS,
    any_key,
    checked_filters,
    condition,
    path_groups,
)
from tests.support.fake_lansweeper import asset, projected

NAMES = st.sampled_from(
    ["assetBasicInfo.a", "assetCustom.b", "softwares.c", "disks.d", "assetCustom.fields.e", "f"]
)
PATHS = st.lists(st.builds(lambda name, n: f"{name}{n}", NAMES, st.integers(0, 40)), max_size=120)


@given(PATHS)
def test_every_path_is_asked_for_once_and_no_query_has_more_than_30(paths: list[str]) -> None:
    groups = path_groups(paths)
    assert all(group[0] == "key" and len(group) <= MOST_PATHS for group in groups)
    asked = [path for group in groups for path in group[1:]]
    assert sorted(asked) == sorted(set(paths) - {"key"})


@given(PATHS.filter(lambda paths: len(set(paths)) <= MOST_PATHS - 1))
def test_up_to_29_paths_and_the_key_are_one_query(paths: list[str]) -> None:
    assert len(path_groups(paths)) == 1


def test_the_paths_of_one_list_stay_in_one_query() -> None:
    basic = [f"assetBasicInfo.f{number}" for number in range(28)]
    groups = path_groups([*basic, "softwares.name", "softwares.version"])
    assert [path for path in groups[0] if "softwares" in path] == ["softwares.name", "softwares.version"]
    assert len(groups) == 2


@pytest.mark.parametrize("path", ["", "a.", "a b", "a{b}", "a[0].b", "ä"])
def test_what_cannot_be_a_path_is_refused_before_sending(path: str) -> None:
    with pytest.raises(RejectedError, match="is no Lansweeper field path"):
        path_groups([path])


def test_parts_of_an_asset_are_joined_by_key_in_any_order() -> None:
    join = AssetJoin(2)
    whole = [asset(1), asset(2)]
    join.add(0, [projected(one, ["key", "assetBasicInfo.name"]) for one in whole])
    assert join.take() == []
    others = ["key", "assetBasicInfo.type", "assetCustom.serialNumber", "softwares.name", "softwares.version"]
    join.add(1, [projected(one, others) for one in reversed(whole)])
    assert join.take() == whole
    assert join.incomplete() == []


@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 8), max_size=5)), max_size=20))
def test_no_asset_comes_out_twice_or_in_part(steps: list[tuple[int, list[int]]]) -> None:
    join, out = AssetJoin(3), []
    for query, numbers in steps:
        join.add(query, [{"key": str(number), f"q{query}": number} for number in numbers])
        out += join.take()
    keys = [item["key"] for item in out]
    assert len(keys) == len(set(keys))
    assert all(set(item) == {"key", "q0", "q1", "q2"} for item in out)
    seen = {str(number) for _, numbers in steps for number in numbers}
    assert seen == set(keys) | set(join.incomplete())


@pytest.mark.parametrize("item", [{}, {"key": None}, {"key": ""}])
def test_an_asset_without_a_key_stops_the_read(item: dict[str, Any]) -> None:
    with pytest.raises(StopError, match="without a key"):
        AssetJoin(1).add(0, [copy.deepcopy(item)])


def test_more_than_100_conditions_are_refused() -> None:
    assert checked_filters(any_key(["k"] * 100)) is not None
    with pytest.raises(RejectedError, match="has 101 conditions"):
        checked_filters(any_key(["k"] * 101))
    group = {"conjunction": "AND", "conditions": [condition("key", "EQUAL", "k")] * 60}
    with pytest.raises(RejectedError, match="has 120 conditions"):
        checked_filters({"groups": [group, group]})


def test_an_unknown_operator_is_refused_and_no_filter_is_none() -> None:
    with pytest.raises(RejectedError, match="'IN' is no filter operator"):
        condition("assetBasicInfo.type", "IN", "x")
    assert checked_filters(None) is None
    assert checked_filters({}) is None
