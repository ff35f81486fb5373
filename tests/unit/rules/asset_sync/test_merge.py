"""Whose value holds, by what both sides agreed on last: every combination, and runs one after the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import FieldWrite, MergeBase
from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.merge import LONGEST_BASE, Bases, edits
from tasks.rules.edits import Edit
from tasks.rules.mapping.compile import CompiledMapping, compile_mapping
from tasks.rules.mapping.model import FieldMapping, OnConflict
from tasks.rules.values import AssetRecord, ConfigurationRecord, FieldChange

ID = 100
NOTHING = "nothing"
SIDES = (NOTHING, "A", "B", "P")
VALUES: dict[str, dict[str, Any]] = {
    "notes": {"A": "one", "B": "two", "P": "three"},
    "manufacturer.name": {"A": "Dell", "B": "HP", "P": "Lenovo"},
    "macAddress": {"A": "A0-00-00-00-00-01", "B": "A0-00-00-00-00-02", "P": "A0-00-00-00-00-03"},
    "purchaseDate": {"A": "2024-01-02T00:00:00Z", "B": "2024-01-03T00:00:00Z", "P": "2024-01-04T00:00:00Z"},
    "backupSuccesses": {"A": 4, "B": 8, "P": 16},
    "customFields.Rack": {"A": "R1", "B": "R2", "P": "R3"},
}
"""A value of each kind of field by its letter."""
KEYS = {"manufacturer.name": "manufacturer", "customFields.Rack": "customFields/9"}

# By base and Lansweeper's value, where nothing in Lansweeper counts: what becomes of nothing, A, B and P in
# ConnectWise.
MERGED = {
    (None, NOTHING): "same write write write",
    (None, "A"): "write same write write",
    (None, "B"): "write write same write",
    (NOTHING, NOTHING): "same kept kept kept",
    (NOTHING, "A"): "write same conflict conflict",
    (NOTHING, "B"): "write conflict same conflict",
    ("A", NOTHING): "same write conflict conflict",
    ("A", "A"): "kept same kept kept",
    ("A", "B"): "conflict write same conflict",
}
CASES = [
    (base, wanted, current, outcome)
    for (base, wanted), row in MERGED.items()
    for current, outcome in zip(SIDES, row.split(), strict=True)
]


def mapping_of(target: str, **line: Any) -> CompiledMapping:
    mapping = FieldMapping.model_validate({"source": "value", "target": target, **line})
    return compile_mapping([mapping], custom_field_ids={"ls_asset_id": 5, "Rack": 9})


def pair(target: str, wanted: str, current: str) -> tuple[AssetRecord, ConfigurationRecord]:
    values = VALUES[target]
    asset = AssetRecord("k1", "PC", None, None, (values.get(wanted), "k1"))
    return asset, ConfigurationRecord(ID, "PC", "k1", None, None, True, (values.get(current), "k1"))


def bases_of(mapping: CompiledMapping, target: str, base: str | None) -> Bases:
    if base is None:
        return Bases(mapping)
    agreed = {KEYS.get(target, target): VALUES[target].get(base)}
    return Bases(mapping, {"k1": MergeBase(ID, json.dumps(agreed))})


def decided(
    mapping: CompiledMapping, bases: Bases, asset: AssetRecord, configuration: ConfigurationRecord
) -> tuple[list[FieldChange], list[Edit]]:
    base = bases.of(asset, configuration)
    found = edits(asset, configuration, mapping, base)
    return differences(asset, configuration, mapping, base), found


def next_run(
    mapping: CompiledMapping, bases: Bases, asset: AssetRecord, configuration: ConfigurationRecord
) -> list[FieldChange]:
    """One run that succeeds, as the flow does it; returns what it writes."""
    changes, _ = decided(mapping, bases, asset, configuration)
    bases.see(asset, configuration)
    for change in changes:
        configuration.current = (change.wanted, *configuration.current[1:])
    bases.wrote(asset, configuration, changes)
    bases.kept, bases.changed = {**bases.kept, **bases.changed}, {}
    return changes


@pytest.mark.parametrize("policy", OnConflict)
@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("target", VALUES)
def test_every_combination_of_base_lansweeper_and_connectwise(
    target: str, clear: bool, policy: OnConflict
) -> None:
    mapping = mapping_of(target, authority="merge", clear=clear, on_conflict=policy)
    for base, wanted, current, outcome in CASES:
        asset, configuration = pair(target, wanted, current)
        bases = bases_of(mapping, target, base)
        changes, found = decided(mapping, bases, asset, configuration)
        kind = "same" if wanted == NOTHING and not clear else outcome
        written = kind == "write" or (kind == "conflict" and policy is OnConflict.LANSWEEPER)
        said = [("conflict" if each.is_conflict else "kept") for each in found]
        assert bool(changes) == written, (base, wanted, current)
        assert said == ([kind] if kind in ("kept", "conflict") else []), (base, wanted, current)
        next_run(mapping, bases, asset, configuration)
        assert next_run(mapping, bases, asset, configuration) == []


@pytest.mark.parametrize("authority", ["lansweeper", "connectwise", "fill"])
@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("target", VALUES)
def test_the_other_authorities_do_not_ask_for_a_base(target: str, clear: bool, authority: str) -> None:
    mapping = mapping_of(target, authority=authority, clear=clear)
    for base, wanted, current, _ in CASES:
        asset, configuration = pair(target, wanted, current)
        bases = bases_of(mapping, target, base)
        says = wanted != NOTHING or clear
        differs = wanted != current and says
        expected = {"lansweeper": differs, "connectwise": False, "fill": differs and current == NOTHING}
        written = next_run(mapping, bases, asset, configuration)
        assert bool(written) == expected[authority], (base, wanted, current)
        assert bases.changed == {}
        assert next_run(mapping, bases, asset, configuration) == []


STEPS = st.one_of(
    st.tuples(st.just("lansweeper"), st.sampled_from(["A", "B", "C"])),
    st.tuples(st.just("connectwise"), st.sampled_from(["A", "B", "P"])),
    st.tuples(st.sampled_from(["run", "killed before", "killed after"]), st.just("")),
)


@given(st.lists(STEPS, max_size=14))
def test_an_edit_is_kept_until_lansweeper_moves_whatever_becomes_of_runs(
    steps: list[tuple[str, str]],
) -> None:
    """A run killed after its write, before its bases are kept, leaves them to the journal."""
    mapping = mapping_of("notes", authority="merge")
    kept: dict[str, MergeBase] = {}
    journal: list[FieldWrite] = []
    wanted = current = agreed = "A"
    first = True
    for step, value in [("run", ""), *steps, ("run", ""), ("run", "")]:
        if step == "lansweeper":
            wanted = value
        elif step == "connectwise":
            current = value
        else:
            asset = AssetRecord("k1", "PC", None, None, (wanted, "k1"))
            configuration = ConfigurationRecord(ID, "PC", "k1", None, None, True, (current, "k1"))
            bases = Bases(mapping, kept)
            bases.learn(journal, {})
            changes, found = decided(mapping, bases, asset, configuration)
            only_people = current not in (wanted, agreed) and wanted == agreed
            assert bool(changes) == (current != wanted and wanted != agreed) or first
            assert [each.is_conflict for each in found if only_people] == [False] * only_people
            bases.see(asset, configuration)
            if step == "killed before":
                continue
            if changes:
                journal.append(FieldWrite("k1", ID, {"notes": current}, {"notes": wanted}, True))
                current = wanted
            agreed = current if current == wanted and (changes or step == "run") else agreed
            bases.wrote(asset, configuration, changes)
            if step == "run":
                kept, journal = {**kept, **bases.changed}, []
            first = False


def test_a_base_of_another_configuration_says_nothing() -> None:
    mapping = mapping_of("notes", authority="merge")
    asset, configuration = pair("notes", "A", "P")
    configuration.id = ID + 1
    changes, found = decided(mapping, bases_of(mapping, "notes", "A"), asset, configuration)
    assert (len(changes), found) == (1, [])


def test_a_write_without_an_outcome_counts_where_the_record_is_no_longer_as_before() -> None:
    mapping = mapping_of("notes", authority="merge")
    write = FieldWrite("k1", ID, {"notes": "one"}, {"notes": "two"}, False)
    outcomes = {}
    for current in ("A", "B", "P"):
        bases = bases_of(mapping, "notes", "A")
        bases.learn([write], {})
        changes, found = decided(mapping, bases, *pair("notes", "B", current))
        outcomes[current] = (len(changes), [each.is_conflict for each in found])
    assert outcomes == {"A": (1, []), "B": (0, []), "P": (0, [False])}


def test_a_known_write_to_an_asset_that_was_not_looked_at_is_taken_over() -> None:
    mapping = mapping_of("notes", authority="merge")
    bases = bases_of(mapping, "notes", "A")
    one, two, three = {"notes": "one"}, {"notes": "two"}, {"notes": "three"}
    bases.learn([FieldWrite("k1", ID, one, two, True), FieldWrite("k1", ID, two, three, False)], {})
    bases.finish()
    assert bases.changed == {"k1": MergeBase(ID, '{"notes":"two"}')}


def test_a_created_record_of_a_killed_run_tells_its_references_by_id() -> None:
    mapping = mapping_of("manufacturer.name", authority="merge")
    after = {"name": "PC", "manufacturer": {"id": 31}, "customFields": [{"id": 5, "value": "k1"}]}
    for names, kept in (({31: "dell"}, True), ({}, False)):
        bases = Bases(mapping)
        bases.learn([FieldWrite("k1", ID, {}, after, True)], {"manufacturer.name": names})
        changes, found = decided(mapping, bases, *pair("manufacturer.name", "A", "P"))
        assert (bool(changes), bool(found)) == (not kept, kept)


def test_what_is_created_is_agreed_on_as_far_as_it_was_sent() -> None:
    mapping = compile_mapping(
        [
            FieldMapping.model_validate({"source": each, "target": each, "authority": "merge"})
            for each in ("name", "notes", "location.name", "customFields.Rack")
        ],
        custom_field_ids={"ls_asset_id": 5, "Rack": 9},
    )
    asset = AssetRecord("k1", "PC", None, None, ("PC", None, "Tampa", "R1", "k1"))
    bases = Bases(mapping)
    bases.sends(asset, {"name": "PC", "customFields": [{"id": 9, "value": "R1"}]})
    bases.created("k1", ID)
    bases.created("never sent", ID)
    assert {key: json.loads(each.agreed) for key, each in bases.changed.items()} == {
        "k1": {"name": "PC", "customFields/9": "R1"}
    }


def test_a_long_text_is_kept_by_its_digest() -> None:
    mapping = mapping_of("notes", authority="merge")
    text = "line\n" * LONGEST_BASE
    asset = AssetRecord("k1", "PC", None, None, (text, "k1"))
    configuration = ConfigurationRecord(ID, "PC", "k1", None, None, True, (text.replace("\n", "\r\n"), "k1"))
    bases = Bases(mapping)
    bases.see(asset, configuration)
    assert len(bases.changed["k1"].agreed) < LONGEST_BASE
    configuration.current = ("typed by hand", "k1")
    changes, (edit,) = decided(mapping, bases, asset, configuration)
    assert (changes, edit.is_conflict, edit.base) == ([], False, f"{text[:60]}…")
    asset.wanted = (text + "moved", "k1")
    _, (edit,) = decided(mapping, bases, asset, configuration)
    assert edit.is_conflict


def test_a_second_look_at_what_agrees_changes_no_row() -> None:
    mapping = mapping_of("notes", authority="merge")
    asset, configuration = pair("notes", "A", "A")
    bases = Bases(mapping)
    bases.see(asset, configuration)
    again = Bases(mapping, dict(bases.changed))
    configuration.current = (" one ", "k1")
    again.see(asset, configuration)
    assert (len(bases.changed), again.changed) == (1, {})


def test_the_filler_of_an_asset_without_a_name_is_no_move() -> None:
    mapping = compile_mapping(
        [FieldMapping.model_validate({"source": "name", "target": "name", "authority": "merge"})],
        custom_field_ids={"ls_asset_id": 5},
    )
    filler = AssetRecord("k1", "Unknown", None, None, ("Unknown", "k1"))
    assert mapping.fields[0].is_filler("Unknown")
    configuration = ConfigurationRecord(ID, "PC", "k1", None, None, True, ("PC", "k1"))
    bases = Bases(mapping, {"k1": MergeBase(ID, '{"name": "PC"}')})
    assert decided(mapping, bases, filler, configuration) == ([], [])
