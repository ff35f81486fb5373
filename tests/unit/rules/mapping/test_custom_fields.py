"""The ids of the mapped custom fields: typed by hand, or found by caption."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.mapping.compile import CustomFieldError, resolve_custom_fields


def defined(record_id: int, caption: str, **members: Any) -> dict[str, Any]:
    return {"id": record_id, "caption": caption, **members}


LINK = defined(5, "ls_asset_id", podDescription="Configuration")
URL = defined(6, "ls_asset_url", podDescription="Configuration")
CAPTIONS = ["ls_asset_id", "ls_asset_url", "ls_software"]


def test_found_by_caption_and_what_is_missing_is_told() -> None:
    fields = resolve_custom_fields([*CAPTIONS, "ls_asset_url"], {}, [URL, LINK])
    assert fields.ids == {"ls_asset_id": 5, "ls_asset_url": 6}
    assert fields.missing == ["ls_software"]


def test_case_and_outer_blanks_of_a_caption_do_not_count() -> None:
    assert resolve_custom_fields(["ls_asset_id"], {}, [LINK | {"caption": " LS_Asset_ID "}]).ids == {
        "ls_asset_id": 5
    }


def test_an_id_typed_by_hand_wins_and_needs_no_definition() -> None:
    fields = resolve_custom_fields(CAPTIONS, {"ls_asset_id": 50, "ls_software": 70}, [LINK, URL])
    assert fields.ids == {"ls_asset_id": 50, "ls_asset_url": 6, "ls_software": 70}
    assert fields.missing == []


@pytest.mark.parametrize(
    "found", [[], [URL], [LINK | {"podDescription": "Ticket"}], [LINK | {"caption": None}]]
)
def test_without_the_link_field_nothing_goes(found: list[dict[str, Any]]) -> None:
    with pytest.raises(CustomFieldError) as caught:
        resolve_custom_fields(CAPTIONS, {}, found)
    text = str(caught.value)
    assert "no custom field 'ls_asset_id' on configurations" in text
    assert "Custom Fields" in text
    assert "Custom field ids" in text


def test_a_caption_on_several_screens_means_the_one_of_configurations() -> None:
    on_tickets = defined(9, "ls_asset_id", podDescription="Service Ticket", screenId="sr100")
    assert resolve_custom_fields(["ls_asset_id"], {}, [on_tickets, LINK]).ids == {"ls_asset_id": 5}


def test_a_field_that_names_no_screen_is_taken() -> None:
    assert resolve_custom_fields(["ls_asset_id"], {}, [defined(5, "ls_asset_id")]).ids == {"ls_asset_id": 5}


def test_two_fields_of_one_caption_are_refused_with_their_ids() -> None:
    with pytest.raises(CustomFieldError, match=r"caption 'ls_asset_id' \(ids 5, 8\)"):
        resolve_custom_fields(["ls_asset_id"], {}, [LINK, LINK | {"id": 8}])
    assert resolve_custom_fields(["ls_asset_id"], {"ls_asset_id": 8}, [LINK, LINK | {"id": 8}]).ids == {
        "ls_asset_id": 8
    }
