"""What a person hands to an action: JSON, a file, or something else with a clear refusal."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.action_io import LARGEST_BYTES, ExternalDataError, read_objects

ASSETS = [{"asset": {"general": {"name": "166.246.143.187/1/7"}}}, {"asset": {"general": {"name": "Zürich"}}}]


def refusal(data: Any) -> str:
    with pytest.raises(ExternalDataError) as caught:
        read_objects("External Data", data)
    text = str(caught.value)
    assert text.startswith("External Data")
    assert len(text) < 300
    return text


def test_an_array_its_json_and_a_file_of_it_are_alike(tmp_path: Path) -> None:
    file = tmp_path / "[assets] 1.json"
    file.write_text(json.dumps(ASSETS), encoding="utf-8")
    for given_as in (ASSETS, tuple(ASSETS), json.dumps(ASSETS), f"\n {json.dumps(ASSETS)} ", str(file), file):
        assert read_objects("External Data", given_as) == ASSETS


def test_a_single_object_is_an_array_of_one() -> None:
    assert (
        read_objects("External Data", ASSETS[0]) == read_objects("External Data", '{"a": 1}')[:0] + ASSETS[:1]
    )


def test_an_empty_array_is_an_empty_inventory() -> None:
    assert read_objects("External Data", "[]") == read_objects("External Data", []) == []


def test_a_file_may_be_large_and_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "assets.json"
    large = [{"name": "x" * LARGEST_BYTES}]
    file.write_text(json.dumps(large), encoding="utf-8-sig")
    assert read_objects("External Data", f" {file}\n") == large


@pytest.mark.parametrize("as_text", [True, False])
def test_more_than_400_kb_is_refused_with_the_remedy(as_text: bool) -> None:
    fits = [{"name": "x" * (LARGEST_BYTES - len('[{"name":""}]'))}]
    over = [{"name": fits[0]["name"] + "x"}]
    shape = (lambda data: json.dumps(data, separators=(",", ":"))) if as_text else (lambda data: data)
    assert read_objects("External Data", shape(fits)) == fits
    assert refusal(shape(over)).endswith("is larger than 400 KB. Save it as a file and give the file's path.")


@pytest.mark.parametrize(
    "data", [None, 5, True, [1], ["a"], "[1, 2]", '[{"a": 1}, null]', [[{"a": 1}]], b"[]"]
)
def test_what_is_no_array_of_objects_is_refused(data: Any) -> None:
    assert "array of objects" in refusal(data) or "not JSON" in refusal(data)


@pytest.mark.parametrize("text", ["nope.json", "", "x" * 5000, "/", "a\0b", "Windows, Linux"])
def test_what_is_neither_json_nor_a_file_is_refused(text: str) -> None:
    assert "neither JSON nor the path of a file" in refusal(text)


@pytest.mark.parametrize("content", [b"[{", b"\xff\xfe[\x00{\x00", b"name;serial", b""])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "assets.json"
    file.write_bytes(content)
    assert "not valid JSON" in refusal(str(file))


members = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5)
)


@given(st.lists(members, max_size=4))
def test_any_array_of_objects_is_read_as_it_is(objects: list[dict[str, Any]]) -> None:
    assert read_objects("External Data", objects) == objects
    assert read_objects("External Data", json.dumps(objects)) == objects


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_and_never_breaks(text: str) -> None:
    with suppress(ExternalDataError):
        assert isinstance(read_objects("External Data", text), list)
