"""What Field Nation dropped of what was sent, seen from its answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.field_nation.models import dropped_fields

VALUES = st.recursive(
    st.one_of(st.integers(), st.text(max_size=5), st.booleans()),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=6,
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["a", "results", "custom_fields", "utc"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("sent", "kept", "dropped"),
    [
        ({"title": "x"}, {"title": "x ", "status": {}}, []),
        ({"title": "x"}, {}, ["title"]),
        ({"title": ""}, {}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1.0}}, ["a.c"]),
        ({"a": {"b": "1"}}, {"a": None}, ["a.b"]),
        ({"description": {"html": "<p>a & b</p>"}}, {"description": {"html": "<p>a &amp; b</p>"}}, []),
        ({"types": [{"id": 1}, {"id": 2}]}, {"types": [{"id": 1}]}, ["types"]),
        ({"flag": False}, {"flag": 0}, []),
        ({"flag": True}, {}, ["flag"]),
        ({"ignore_template": True, "require_ontime": True}, {}, []),
        ({"start": {"utc": "a"}}, {"start": {"local": {"date": "b"}}}, []),
        ({"start": {"utc": "a"}}, {"start": {"utc": "b", "local": {}}}, ["start.utc"]),
        ({"start": {"utc": "a"}}, {}, ["start.utc"]),
    ],
)
def test_what_is_lost_is_named(sent: dict[str, Any], kept: dict[str, Any], dropped: list[str]) -> None:
    assert dropped_fields(sent, kept) == dropped


def groups(**values: Any) -> dict[str, Any]:
    return {
        "results": [{"results": [{"id": int(name[1:]), "value": value} for name, value in values.items()]}]
    }


def test_custom_fields_are_compared_by_id() -> None:
    sent = {"custom_fields": groups(f801="101", f802="", f803="yes")}
    answered = {"results": [*groups(f1="x")["results"], *groups(f801="101", f803="no")["results"]]}
    assert dropped_fields(sent, {"custom_fields": answered}) == ["custom_fields.803"]
    flat = {"custom_fields": {"id": 801, "value": "x"}}
    assert dropped_fields(flat, {"custom_fields": answered}) == ["custom_fields"]


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3))
def test_nothing_is_lost_where_all_came_back(sent: dict[str, Any]) -> None:
    assert dropped_fields(sent, sent) == []


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(["a", "custom_fields"]), ANYTHING, max_size=2), ANYTHING)
def test_odd_answers_do_no_harm(sent: dict[str, Any], kept: Any) -> None:
    assert isinstance(dropped_fields(sent, kept if isinstance(kept, dict) else {}), list)
