"""Which of a site's custom fields are used, and which are missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.lansweeper.models import CustomField
from tasks.rules.enrichment.texts import FIELD_TYPES, choose_fields


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
