"""From a configuration, its agreements and its tickets to the texts of its asset's custom fields.

Which of a site's custom fields are used, and what happens to an asset that another company claims.
"""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lansweeper.models import CustomField
from tasks.rules.enrichment.answers import read_day
from tasks.rules.enrichment.plan import ConfigurationName, build_enrichment_plan
from tasks.rules.enrichment.render import enrichment_plan_markdown
from tasks.rules.enrichment.texts import (
    AGREEMENT_FIELDS,
    CONFIGURATION_URL,
    FIELD_TYPES,
    SEPARATOR,
    TOTALS,
    TextLimits,
    agreement_texts,
    changed_texts,
    choose_fields,
    named_configuration,
    named_elsewhere,
    wanted_texts,
)
from tests.support.factories.enrichment import agreement, asset, facts, ticket, up_to_date


def test_texts_of_the_page_s_sample() -> None:
    texts = wanted_texts(
        facts(agreements=[agreement()], tickets=[ticket(538)], sla={"id": 1, "name": "Gold"})
    )
    assert texts == {
        "cw_total_tickets": "1",
        "cw_open_tickets": "1",
        "cw_closed_tickets": "0",
        "cw_configuration_url": "https://na.example.test/openrecord.rails?recid=9015",
        "cw_agreement_id": "538",
        "cw_agreement_name": "Agreement 538",
        "cw_agreement_type": "Block Time - One time",
        "cw_agreement_status": "Active",
        "cw_agreement_start_date": "29/09/2000",
        "cw_agreement_end_date": "30/09/2028",
        "cw_sla": "Gold",
    }
    assert tuple(texts) == tuple(FIELD_TYPES)


def test_every_field_is_one_that_the_cross_flow_makes() -> None:
    assert {FIELD_TYPES[name] for name in TOTALS} == {"NUMERIC"}


def test_the_flag_and_not_the_name_of_the_status_says_what_is_closed() -> None:
    tickets = [ticket(1, closed=False, status="Closed"), ticket(2, closed=True, status="New"), ticket(3)]
    texts = wanted_texts(facts(tickets=tickets))
    assert [texts[name] for name in TOTALS] == ["3", "2", "1"]


def test_without_anything_totals_are_zero_and_the_rest_is_cleared() -> None:
    texts = wanted_texts(facts())
    assert [texts.pop(name) for name in TOTALS] == ["0", "0", "0"]
    assert texts.pop("cw_configuration_url")
    assert set(texts.values()) == {""}


def test_agreements_stand_active_first_then_newest_then_by_id() -> None:
    found = [
        agreement(1, "Expired", "01/01/2025"),
        agreement(5, "Active", "31/12/2020"),
        agreement(4, "Active", "01/02/2021"),
        agreement(3, "Active", "01/02/2021"),
        agreement(2, "Active", None),
        agreement(6, "Cancelled", "02/01/2025"),
    ]
    assert agreement_texts(found, TextLimits())["cw_agreement_id"] == "3; 4; 5; 2; 6; 1"


def test_an_agreement_without_end_keeps_its_place() -> None:
    found = [agreement(1), agreement(2, endDate=None), agreement(3)]
    assert agreement_texts(found, TextLimits())["cw_agreement_end_date"] == "30/09/2028; ; 30/09/2028"
    assert agreement_texts([agreement(2, endDate=None)], TextLimits())["cw_agreement_end_date"] == ""


def test_a_separator_within_a_name_does_not_look_like_another_agreement() -> None:
    text = agreement_texts([agreement(1, name="Gold; 24x7\nall"), agreement(2)], TextLimits())
    assert text["cw_agreement_name"] == "Gold, 24x7 all; Agreement 2"


names = st.one_of(st.none(), st.text(max_size=12))
agreements = st.lists(
    st.builds(
        lambda number, name, end, kind: agreement(number, name=name, endDate=end, type=kind),
        st.integers(1, 999_999),
        names,
        st.sampled_from([None, "30/09/2028"]),
        st.one_of(st.none(), st.builds(lambda name: {"name": name}, names)),
    ),
    max_size=9,
    unique_by=lambda each: each["id"],
)


@given(agreements, st.integers(1, 10), st.integers(200, 400))
def test_the_nth_entry_of_every_field_is_the_same_agreement(
    found: list[dict[str, object]], most: int, characters: int
) -> None:
    limits = TextLimits(agreements=most, characters=characters)
    texts = agreement_texts(found, limits)
    lengths = {len(text.split(SEPARATOR)) for text in texts.values() if text}
    assert len(lengths) <= 1
    assert all(len(text) <= characters for text in texts.values())
    assert texts == agreement_texts(reversed(found), limits)
    if found:
        shown = texts["cw_agreement_id"].split(SEPARATOR)
        left = len(found) - len([each for each in shown if each.isdigit()])
        assert shown[-1] == f"... and {left} more" if left else shown[-1].isdigit()


def test_what_does_not_fit_is_counted_in_every_field() -> None:
    texts = agreement_texts([agreement(number) for number in range(1, 61)], TextLimits())
    assert {texts[name].rsplit(SEPARATOR, 1)[1] for name in AGREEMENT_FIELDS} == {"... and 10 more"}


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        ({}, {"cw_sla": ""}),
        ({"cw_sla": " "}, {"cw_sla": ""}),
        ({"cw_sla": "Gold "}, {"cw_sla": "Gold"}),
        ({"cw_total_tickets": "3.0"}, {"cw_total_tickets": "3"}),
        ({"cw_total_tickets": " 03"}, {"cw_total_tickets": "3"}),
        ({"cw_agreement_end_date": "30/09/2028;"}, {"cw_agreement_end_date": "30/09/2028; "}),
    ],
)
def test_what_says_the_same_is_not_written(current: dict[str, str], wanted: dict[str, str]) -> None:
    assert changed_texts(current, wanted) == ()


def test_differences_name_what_is_and_what_is_wanted() -> None:
    current = {"cw_total_tickets": "2", "cw_open_tickets": "", "cw_sla": "Gold"}
    wanted = {"cw_total_tickets": "3", "cw_open_tickets": "0", "cw_sla": ""}
    assert [(each.field, each.current, each.wanted) for each in changed_texts(current, wanted)] == [
        ("cw_total_tickets", "2", "3"),
        ("cw_open_tickets", "", "0"),
        ("cw_sla", "Gold", ""),
    ]


def test_a_text_goes_out_without_what_no_field_takes() -> None:
    agreement = {"id": 1, "name": "\u202eGold\x00;\ud83d \U0001f469\u200d\U0001f4bb\nline"}
    texts = agreement_texts([agreement], TextLimits())
    assert texts["cw_agreement_name"] == "Gold, \U0001f469\u200d\U0001f4bb line"


def test_agreement_id_is_text_and_no_number() -> None:
    assert changed_texts({"cw_agreement_id": "0538"}, {"cw_agreement_id": "538"})


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("29/09/2000", date(2000, 9, 29)),
        ("2025-10-11T07:35:18Z", date(2025, 10, 11)),
        ("1970-01-02T00:00:00Z", date(1970, 1, 2)),
        ("31/02/2020", None),
        ("0001-01-01T00:00:00Z", None),
        ("1900-01-01T00:00:00Z", None),
        ("30/12/1899", None),
        ("1970-01-01T05:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_days_are_read_in_both_forms(text: str | None, day: date | None) -> None:
    assert read_day(text) == day


def defined(key: str, name: str, kind: str = "TEXTAREA") -> CustomField:
    return {"key": key, "name": name, "type": kind, "props": None}


SLA = {"cw_sla": "TEXTAREA"}


def test_on_an_empty_site_all_eleven_are_missing() -> None:
    choice = choose_fields([])
    assert choice.missing == list(FIELD_TYPES)
    assert len(choice.missing) == 11
    assert (choice.keys, choice.created, choice.warnings) == ({}, [], [])


def test_what_is_there_with_the_right_type_is_used_without_a_word() -> None:
    choice = choose_fields(
        [defined(name.upper(), f" {name.upper()}", kind) for name, kind in FIELD_TYPES.items()]
    )
    assert choice.keys == {name: name.upper() for name in FIELD_TYPES}
    assert (choice.missing, choice.warnings) == ([], [])


@pytest.mark.parametrize(
    ("kinds", "chosen", "words"),
    [
        (["INPUT"], "k0", ["has the type INPUT in Lansweeper, not TEXTAREA"]),
        (["TEXTAREA", "TEXTAREA"], "k0", ["2 custom fields named cw_sla: the one with the key k0"]),
        (["INPUT", "TEXTAREA"], "k1", ["2 custom fields named cw_sla: the one with the key k1"]),
        (["INPUT", "DATE"], "k0", ["2 custom fields named cw_sla", "has the type INPUT"]),
    ],
)
def test_of_several_the_first_of_the_right_type_else_the_first(
    kinds: list[str], chosen: str, words: list[str]
) -> None:
    choice = choose_fields([defined(f"k{n}", "cw_sla", kind) for n, kind in enumerate(kinds)], SLA)
    assert choice.keys == {"cw_sla": chosen}
    assert choice.missing == []
    assert len(choice.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, choice.warnings, strict=True))


def test_a_field_without_key_or_name_is_passed_over() -> None:
    assert choose_fields([defined("", "cw_sla"), defined("k", "")], SLA).missing == ["cw_sla"]


NAMES = st.sampled_from(["cw_sla", "CW_SLA ", "cw_total_tickets", "else"])
KINDS = st.sampled_from(["TEXTAREA", "NUMERIC", "INPUT"])


@given(st.lists(st.builds(defined, st.uuids().map(str), NAMES, KINDS), unique_by=lambda each: each["key"]))
def test_every_name_is_either_there_or_missing(existing: list[CustomField]) -> None:
    wanted = {name: FIELD_TYPES[name] for name in ("cw_sla", "cw_total_tickets")}
    choice = choose_fields(existing, wanted)
    assert sorted([*choice.keys, *choice.missing]) == sorted(wanted)
    by_key = {each["key"]: each for each in existing}
    for name, key in choice.keys.items():
        assert by_key[key]["name"].strip().lower() == name
        of_name = [each for each in existing if each["name"].strip().lower() == name]
        assert by_key[key]["type"] == wanted[name] or wanted[name] not in {each["type"] for each in of_name}
    for name in choice.missing:
        assert all(each["name"].strip().lower() != name for each in existing)


URL = "https://na.example.test/openrecord.rails?locale=en_US&recordType=ConfigFv&recid={}&companyName=acme"


@pytest.mark.parametrize(
    ("url", "number"),
    [
        (URL.format(9015), 9015),
        ("https://na.example.test/openrecord.rails?recid=7", 7),
        (URL.format(""), None),
        (URL.format("7x"), None),
        ("https://na.example.test/?precid=7", None),
        ("", None),
    ],
)
def test_the_configuration_is_read_from_the_address(url: str, number: int | None) -> None:
    assert named_configuration(asset(**{CONFIGURATION_URL: url})) == number


def test_only_claimed_assets_that_name_a_stranger_matter() -> None:
    assets = [asset(key, **{CONFIGURATION_URL: URL.format(key[1:])}) for key in ("k1", "k2", "k3")]
    assert named_elsewhere([*assets, asset("k4")], {"k1", "k2", "k4"}, {2, 4}) == {"k1": 1}


def test_an_asset_that_another_company_claims_is_contested_and_counted_once() -> None:
    rival = ConfigurationName(77, "SRV of CopperKettle", "k1")
    claims = [facts(1, "k1"), facts(2, "k2")]
    plan = build_enrichment_plan(claims, [asset("k1"), up_to_date(claims[1])], rivals={"k1": rival})
    assert plan.updates == []
    assert (plan.counts.contested, plan.counts.unchanged) == (1, 1)
    assert "SRV of CopperKettle (77)" in enrichment_plan_markdown(plan)
