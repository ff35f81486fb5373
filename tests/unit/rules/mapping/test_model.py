"""Tables of Lansweeper values: rows of a form, or a mapping as JSON has it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tasks.rules.mapping.model import (
    LEAVE_OUT,
    ReferenceValues,
    read_custom_field_mappings,
    read_mappings,
)

PAGE = (
    '[{"asset.general.key": "ls_asset_id"},{"asset.general.url": "ls_asset_url"},'
    '{"software.general": "ls_software"}]'
)


def test_custom_field_mappings_are_taken_as_the_page_shows_them() -> None:
    assert [(each.source, each.target) for each in read_custom_field_mappings(PAGE)] == [
        ("asset.general.key", "customFields.ls_asset_id"),
        ("asset.general.url", "customFields.ls_asset_url"),
        ("software.general", "customFields.ls_software"),
    ]


@pytest.mark.parametrize("text", ["", "  ", "null", "[]", "{}", b"[]"])
def test_json_text_may_hold_no_mapping(text: str | bytes) -> None:
    assert read_mappings(text) == []


@pytest.mark.parametrize("text", ["[{", "7", '"name"', "[7]", '{"a": 7}', "[" * 5000, '{"a": "\\ud800"}'])
def test_text_that_is_no_mapping_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="mapping"):
        read_mappings(text)


def test_rows_and_mappings_mean_the_same() -> None:
    rows = [{"value": " Windows ", "record": "Workstation"}, {"value": "Printer"}]
    mapping = {"Windows": "Workstation", "Printer": None}
    read = [
        ReferenceValues.model_validate({"types": table}).by_target()["type.name"] for table in (rows, mapping)
    ]
    assert read == [{"Windows": "Workstation", "Printer": None}] * 2


def test_what_is_read_can_be_written_and_read_again() -> None:
    tables = ReferenceValues.model_validate({"statuses": {"Active": "In use", "Sold": None}})
    again = ReferenceValues.model_validate(tables.model_dump())
    assert again.by_target() == tables.by_target()
    assert again.statuses[1].record == LEAVE_OUT


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ([{"value": "Windows"}, {"value": "windows"}], "'Windows' stands in the table more than once"),
        ([{"value": ""}], "at least 1 character"),
        ([{"value": "a", "name": "b"}], "Extra inputs"),
        ({"a": 5}, "valid string"),
    ],
)
def test_a_table_that_can_not_be_read_is_refused(table: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ReferenceValues.model_validate({"types": table})
