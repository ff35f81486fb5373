"""Mappings: the forms they come in, what is refused, what they make of a record, and custom field ids."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.mapping.compile import (
    CustomFieldError,
    FieldMappingError,
    compile_mapping,
    known_mappings,
    mapping_problems,
    resolve_custom_fields,
)
from tasks.rules.mapping.model import (
    Authority,
    FieldMapping,
    default_custom_field_mappings,
    default_mappings,
    read_custom_field_mappings,
    read_mappings,
)
from tasks.rules.mapping.targets import TARGETS


def one(source: str, target: str, **more: Any) -> FieldMapping:
    return FieldMapping(source=source, target=target, **more)


def wanted(asset: dict[str, Any], *mappings: FieldMapping, **options: Any) -> Any:
    return compile_mapping(mappings, **options).read_asset(asset).wanted[0]


@pytest.mark.parametrize(
    "form",
    [
        [{"source": "a.b", "target": "name"}, {"source": "c", "target": "notes"}],
        {"a.b": "name", "c": "notes"},
        [{"a.b": "name"}, {"c": "notes"}],
        [one("a.b", "name"), {"c": "notes"}],
    ],
)
def test_every_documented_form_is_read(form: Any) -> None:
    assert read_mappings(form) == [one("a.b", "name"), one("c", "notes")]


def test_one_whole_object_is_a_mapping_too() -> None:
    assert read_mappings({"source": "a", "target": "name"}) == [one("a", "name")]


def test_the_page_s_custom_field_list_is_read() -> None:
    page = [{"asset.general.key": "ls_asset_id"}, {"software.general": "ls_software"}]
    assert [each.target for each in read_custom_field_mappings(page)] == [
        "customFields.ls_asset_id",
        "customFields.ls_software",
    ]


@pytest.mark.parametrize("form", ["name", 7, ["name"], {"a": 1}, [{"source": "", "target": "name"}]])
def test_what_is_no_mapping_is_refused(form: Any) -> None:
    with pytest.raises(ValueError):
        read_mappings(form)


def test_the_defaults_have_no_problem() -> None:
    both = default_mappings() + default_custom_field_mappings()
    assert mapping_problems(both) == []
    assert len(compile_mapping(both).lansweeper_paths) <= 30


def test_every_listed_path_can_be_mapped() -> None:
    assert mapping_problems([one("a", path) for path in TARGETS]) == []
    assert len(TARGETS) == 44


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (one("a", "warrantyDetails"), "Did you mean warrantyExpirationDate"),
        (one("a", "customFields."), "no ConnectWise field"),
        (one("a.", "name"), "not a JMESPath expression"),
        (one("shout(a)", "name"), "shout()"),
        (one("b[].join(a)", "name"), "join() with 1 arguments; it takes 2"),
        (one("&a", "name"), "gives an expression and no value"),
        (one("sort_by(a, b)", "name"), "sort_by() with a wrong argument 2; it takes an expression with &"),
        (one("length(&a)", "name"), "length() with a wrong argument 1; it takes string or array or object"),
        (one("starts_with(a, `1`)", "name"), "starts_with() with a wrong argument 2; it takes string"),
        (one("not_null(a, &b)", "name"), "not_null() with a wrong argument 2; it takes a value"),
        (one('[a, `[1, {"b": 1e400}]`]', "name"), "a number that is not finite."),
        (one("a", "notes", clear=True, values={"x": None}), "both clears and skips"),
    ],
)
def test_a_wrong_line_is_named_with_a_remedy(mapping: FieldMapping, words: str) -> None:
    (problem,) = mapping_problems([mapping])
    assert words in problem
    with pytest.raises(FieldMappingError):
        compile_mapping([mapping])


def test_a_field_mapped_twice_is_refused() -> None:
    assert "2 times" in mapping_problems([one("a", "name"), one("b", "name")])[0]


def test_the_match_action_leaves_an_unknown_target_out_and_says_so() -> None:
    known, warnings = known_mappings(
        read_mappings({"a": "name", "asset.general.warranty": "warrantyDetails"})
    )
    assert [each.target for each in known] == ["name"]
    assert "warrantyExpirationDate" in warnings[0]
    assert "left out" in warnings[0]


def test_a_type_is_connectwise_s_own_unless_said_otherwise() -> None:
    fields = compile_mapping([one("t", "type.name"), one("n", "name")]).fields
    assert [each.authority for each in fields] == [
        Authority.CONNECTWISE,
        Authority.LANSWEEPER,
        Authority.LANSWEEPER,
    ]
    asked = one("t", "type.name", authority=Authority.LANSWEEPER)
    assert compile_mapping([asked]).fields[0].authority is Authority.LANSWEEPER


def test_the_link_is_always_mapped_and_lansweeper_s() -> None:
    mapping = compile_mapping([one("n", "name")], custom_field_ids={"ls_asset_id": 5}, key_path="asset.key")
    link = mapping.fields[-1]
    assert (link.source, link.path, link.custom_field_id) == ("asset.key", "customFields.ls_asset_id", 5)
    asset = mapping.read_asset({"n": "PC", "asset": {"key": " k1 "}})
    assert asset.key == asset.wanted[-1] == "k1"


def test_a_mapping_to_the_link_says_where_the_key_is_and_nothing_more() -> None:
    odd = one("asset.general.key", "customFields.ls_asset_id", authority=Authority.FILL, values={"k": None})
    link = compile_mapping([odd]).fields[-1]
    assert (link.source, link.authority, dict(link.values)) == ("asset.general.key", Authority.LANSWEEPER, {})


@pytest.mark.parametrize(
    ("target", "value", "result"),
    [
        ("name", "  PC\u00a0 ", "PC"),
        ("name", "", None),
        ("name", 7, "7"),
        ("name", ["a", None, "b"], "a, b"),
        ("type.name", "Windows", "ls_Windows"),
        ("type.name", "LS_Windows", "LS_Windows"),
        ("type.name", "Unknown", None),
        ("manufacturer.name", "To be filled by O.E.M.", None),
        ("manufacturer.name", " Dell ", "Dell"),
        ("serialNumber", "Default string", None),
        ("macAddress", "00:00:00:00:00:00", None),
        ("macAddress", " CC:00:00:00:00:14", "CC:00:00:00:00:14"),
        ("purchaseDate", "2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05Z"),
        ("purchaseDate", "2024-01-02T03:04:05.678999+02:00", "2024-01-02T01:04:05Z"),
        ("purchaseDate", "2024-01-02", "2024-01-02T00:00:00Z"),
        ("purchaseDate", "some day", "some day"),
        ("backupYear", " 2024 ", 2024),
        ("backupBillableSpaceGb", "1.50", 1.5),
        ("backupYear", "soon", "soon"),
        ("billFlag", "Yes", True),
        ("billFlag", 0, False),
        ("customFields.x", 3, 3),
        ("customFields.x", " a ", "a"),
        ("customFields.x", [], None),
    ],
)
def test_values_become_connectwise_s_own(target: str, value: Any, result: Any) -> None:
    assert wanted({"v": value}, one("v", target)) == result


def test_the_value_table_names_what_exists_and_comes_before_fillers_and_prefix() -> None:
    values = {"windows ": "Managed Workstation", "Unknown": "ls_Unknown", "Monitor": None}
    mapping = one("v", "type.name", values=values)
    results = [wanted({"v": value}, mapping) for value in ("WINDOWS", "unknown", "monitor", "Linux")]
    assert results == ["Managed Workstation", "ls_Unknown", None, "ls_Linux"]


def test_the_value_table_works_for_any_field() -> None:
    assert wanted({"v": True}, one("v", "notes", values={"true": "yes"})) == "yes"


def test_software_is_sorted_lines_without_repetition() -> None:
    items = [
        {"name": "zip", "version": "2"},
        {"name": "Ant"},
        {"name": "zip", "version": "2"},
        {"version": "9"},
    ]
    mapping = read_custom_field_mappings({"s": "ls_software"})
    assert wanted({"s": items}, *mapping) == "Ant\nzip 2"
    many = [{"name": f"p{number}", "version": "1"} for number in range(9)]
    assert wanted({"s": many}, *mapping, software_limit=2) == "p0 1\np1 1\n... and 7 more"
    assert wanted({"s": list(reversed(many))}, *mapping) == wanted({"s": many}, *mapping)


RECORD = {
    "id": 9, "name": "PC", "activeFlag": False, "type": {"id": 1, "name": "ls_Windows"}, "site": None,
    "serialNumber": "S", "macAddress": "M",
    "customFields": [
        {"id": 5, "caption": "ls_asset_id", "value": " k1\u200b"},
        {"id": 6, "caption": "twin", "value": "six"},
        {"id": 7, "caption": "Twin", "value": "seven"},
        {"id": 8, "caption": "other"},
    ],
}  # fmt: skip


def test_a_configuration_keeps_what_is_mapped() -> None:
    mappings = [one("a", "site.name"), one("b", "customFields.other"), one("c", "type.name")]
    record = compile_mapping(mappings, custom_field_ids={"ls_asset_id": 5}).read_configuration(RECORD)
    assert (record.id, record.name, record.asset_key, record.active) == (9, "PC", "k1", False)
    assert (record.serial, record.mac) == ("S", "M")
    assert record.current == (None, None, "ls_Windows", " k1\u200b")


def test_a_custom_field_s_id_wins_over_its_caption() -> None:
    mappings = [one("a", "customFields.twin"), one("b", "customFields.OTHER")]
    record = compile_mapping(mappings, custom_field_ids={"twin": 7}).read_configuration(RECORD)
    assert record.current[0] == "seven"
    assert record.asset_key == "k1"


@pytest.mark.parametrize("record", [{"id": 1}, {"id": 1, "customFields": None, "type": None}])
def test_a_bare_record_is_read(record: dict[str, Any]) -> None:
    read = compile_mapping(default_mappings()).read_configuration(record)
    assert (read.asset_key, set(read.current), read.active) == (None, {None}, True)


def test_connectwise_is_asked_only_for_what_is_mapped() -> None:
    mapping = compile_mapping([one("a", "type.name"), one("b", "ram")])
    assert mapping.configuration_fields == "id,name,activeFlag,customFields,type/id,type/name,ram"
    assert mapping.lansweeper_paths == ("key", "a", "b")
    assert (mapping.position("ram"), mapping.position("notes")) == (1, None)


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
