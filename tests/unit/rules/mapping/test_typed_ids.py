"""Typed ids: unknown ones, those of another field, and those that are right."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.mapping.compile import CustomFieldError
from tasks.rules.mapping.typed_ids import check_custom_field_ids, structure_level_problem


def field(record_id: int, caption: str, pod: str = "Configuration") -> dict[str, Any]:
    return {"id": record_id, "caption": caption, "podDescription": pod}


DEFINED = [
    field(4, "Rack position"),
    field(5, "ls_asset_id"),
    field(6, "ls_asset_url"),
    field(9, "ls_asset_id", "Service Ticket"),
]


def problem(typed: dict[str, int], **other: str) -> str:
    with pytest.raises(CustomFieldError) as caught:
        check_custom_field_ids(typed, other, DEFINED)
    return str(caught.value)


def test_right_ids_pass_in_any_spelling() -> None:
    check_custom_field_ids({"ls_asset_id": 5, " LS_asset_URL": 6}, {}, DEFINED)
    check_custom_field_ids({}, {}, [])
    check_custom_field_ids({"ls_asset_id": 5}, {}, [{"id": 5, "caption": "ls_asset_id"}])


def test_an_unknown_id_is_named_with_the_field_that_is_meant() -> None:
    text = problem({"ls_asset_id": 999})
    assert "gives 'ls_asset_id' the id 999, which no custom field of ConnectWise has" in text
    assert "Near it: 'ls_asset_id' (5, 9)." in text
    assert "Near it: 'ls_asset_url' (6)" in problem({"ls_asset_ur": 999})
    assert "Take the id from" in problem({"zzz": 999})


def test_an_id_of_another_field_is_refused_unless_that_one_is_meant() -> None:
    text = problem({"ls_asset_id": 4, "ls_asset_url": 998})
    assert "the id 4, which is the custom field 'Rack position'" in text
    assert "enter it beside 'ls_asset_id' under Other captions" in text
    assert "998" in text, "every problem at once"
    check_custom_field_ids({"ls_asset_id": 4}, {"ls_asset_id": "rack position"}, DEFINED)
    assert "a field of Service Ticket" in problem({"ls_asset_id": 9})


def test_the_setting_in_which_it_was_typed_is_named() -> None:
    with pytest.raises(
        CustomFieldError, match=r"^Link id gives 'ls_asset_id' the id 4, .*under Link caption"
    ):
        check_custom_field_ids(
            {"ls_asset_id": 4}, {}, DEFINED, setting="Link id", other_setting="Link caption"
        )


def test_a_structure_level_must_exist() -> None:
    levels = [{"id": 1, "name": "Corporate"}, {"id": 3, "name": "Location"}]
    assert structure_level_problem(3, levels) is None
    assert "is 7, which ConnectWise does not have" in str(structure_level_problem(7, levels))
    assert "1 (Corporate), 3 (Location)" in str(structure_level_problem(7, levels))
