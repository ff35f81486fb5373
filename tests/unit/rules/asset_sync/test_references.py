"""Which existing record a name means, and which are missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.references import (
    CONTACT,
    LOCATION,
    MANUFACTURER,
    SITE,
    STATUS,
    TYPE,
    plan_references,
)
from tasks.rules.values import folded


def test_names_compare_without_case_and_outer_blanks() -> None:
    plan = plan_references(TYPE, [" LS_windows "], [{"id": 7, "name": "ls_Windows"}], create=True)
    assert plan.id_of("ls_WINDOWS ") == 7
    assert plan.missing == []


def test_a_name_in_another_normal_form_exists() -> None:
    held = [{"id": 7, "name": "Mu\u0308ller  GmbH"}, {"id": 8, "name": "\u2068Dell\u2069"}]
    plan = plan_references(MANUFACTURER, ["Müller GmbH", "DELL"], held, create=True)
    assert (plan.missing, plan.id_of("Müller GmbH"), plan.id_of("dell")) == ([], 7, 8)


def test_missing_names_are_created_once_and_sorted() -> None:
    plan = plan_references(TYPE, ["ls_Printer", "ls_Linux", "LS_PRINTER", " ", ""], [], create=True)
    assert plan.missing == ["LS_PRINTER", "ls_Linux"] or plan.missing == ["ls_Linux", "LS_PRINTER"]
    assert plan.problem("ls_printer") is None


def test_a_status_is_named_by_its_description() -> None:
    assert plan_references(
        STATUS, ["ls_Active"], [{"id": 3, "description": "ls_active"}], create=True
    ).ids == {"ls_active": 3}


def test_a_contact_is_named_by_first_and_last_name() -> None:
    records = [{"id": 4, "firstName": "Ada", "lastName": "Byron"}, {"id": 5, "firstName": "Desk"}]
    assert plan_references(CONTACT, ["ada byron", "Desk"], records, create=True).ids == {
        "ada byron": 4,
        "desk": 5,
    }


def test_of_two_of_one_name_the_lowest_active_id_is_used() -> None:
    records = [
        {"id": 9, "name": "Dell"},
        {"id": 5, "name": "DELL"},
        {"id": 2, "name": "dell", "inactiveFlag": True},
    ]
    assert plan_references(MANUFACTURER, ["Dell"], records, create=True).id_of("Dell") == 5


def test_an_inactive_record_is_reported_and_not_doubled() -> None:
    plan = plan_references(
        MANUFACTURER, ["Dell"], [{"id": 2, "name": "Dell", "inactiveFlag": True}], create=True
    )
    assert (plan.inactive, plan.missing, plan.id_of("Dell")) == (["Dell"], [], None)
    assert plan.problem("dell") == "manufacturer 'Dell' is inactive in ConnectWise"


def test_every_existing_record_is_known_by_name() -> None:
    records = [{"id": 2, "name": "Dell", "inactiveFlag": True}, {"id": 3, "name": "HP"}]
    assert plan_references(MANUFACTURER, [], records, create=True).existing == {"dell": 2, "hp": 3}


def test_without_a_structure_level_locations_are_not_created() -> None:
    plan = plan_references(LOCATION, ["Tampa"], [], create=False)
    assert (plan.not_found, plan.missing) == (["Tampa"], [])


def test_sites_are_never_created() -> None:
    assert plan_references(SITE, ["Dock 4"], [], create=True).not_found == ["Dock 4"]


def test_a_name_over_50_characters_is_refused_not_cut() -> None:
    plan = plan_references(TYPE, ["x" * 51, "y" * 50], [], create=True)
    assert plan.missing == ["y" * 50]
    assert "51 characters, ConnectWise allows 50" in plan.refused["x" * 51]
    assert plan.problem("X" * 51) == plan.refused["x" * 51]


names = st.text(alphabet="abAB é", max_size=4)
records = st.lists(
    st.fixed_dictionaries({"id": st.integers(1, 99), "name": names, "inactiveFlag": st.booleans()}),
    max_size=8,
    unique_by=lambda record: record["id"],
)


@given(st.lists(names, max_size=8), records, st.booleans(), st.randoms())
def test_every_name_is_in_one_list_in_any_order(wanted, existing, create, random) -> None:  # type: ignore[no-untyped-def]
    plan = plan_references(TYPE, wanted, existing, create=create)
    random.shuffle(wanted)
    random.shuffle(existing)
    assert plan == plan_references(TYPE, wanted, existing, create=create)
    sorted_into = [*plan.ids, *map(folded, [*plan.missing, *plan.inactive, *plan.not_found, *plan.refused])]
    assert sorted(sorted_into) == sorted({folded(name) for name in wanted} - {""})
