"""What of an entry a person approved: nothing of it, all of it, or all but some fields."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.stored_plans.approval import Approval, ReviewAnswer
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry
from tasks.rules.stored_plans.summary import KindNumbers, PlanTally
from tasks.rules.values import FieldChange

LAPTOP, DESKTOP = (FieldChange("type.name", None, name) for name in ("ls_Laptop", "ls_Desktop"))
STATUS = FieldChange("status.name", "Active", "ls_Active")
OTHER_STATUS = FieldChange("status.name", "Inactive", "ls_Active")
NAME = FieldChange("name", "PC-1", "PC-2")


def create(key: str, *changes: FieldChange) -> PlanEntry:
    return PlanEntry(EntryKind.CREATE, key, None, key, changes)


def modify(key: str, *changes: FieldChange) -> PlanEntry:
    return PlanEntry(EntryKind.MODIFY, key, 7, key, changes)


ENTRIES = (
    create("a", LAPTOP, NAME),
    create("b", DESKTOP),
    modify("c", STATUS, NAME),
    modify("d", OTHER_STATUS),
    modify("e", STATUS),
)


def approval(answer: ReviewAnswer, *beginnings: str, entries: Sequence[PlanEntry] = ENTRIES) -> Approval:
    tally = PlanTally()
    for each in entries:
        tally.entry(each)
    numbers = KindNumbers(tally)
    found = [n for n, line in enumerate(numbers.lines, 1) if line.startswith(tuple(beginnings) or ("\0",))]
    return Approval(answer, numbers, frozenset(found))


def left(given: Approval) -> set[str]:
    return {each.asset_key for each in ENTRIES if given.why_left(each)}


@pytest.mark.parametrize(
    ("answer", "beginnings", "gone", "withheld"),
    [
        (ReviewAnswer.ALL, (), "", {}),
        (ReviewAnswer.CREATIONS, (), "cde", {}),
        (ReviewAnswer.MODIFICATIONS, (), "ab", {}),
        (ReviewAnswer.CANCEL, (), "abcde", {}),
        (ReviewAnswer.ALL, ("status.name: Active",), "e", {"c": {"status.name"}}),
        (ReviewAnswer.ALL, ("status.name",), "de", {"c": {"status.name"}}),
        (ReviewAnswer.ALL, ("New configurations of ls\\_Laptop", "New configurations of ls_Laptop"), "a", {}),
        # A creation has its values whole or not at all.
        (ReviewAnswer.ALL, ("name",), "", {"c": {"name"}}),
    ],
)
def test_what_is_left_out(
    answer: ReviewAnswer, beginnings: tuple[str, ...], gone: str, withheld: dict[str, set[str]]
) -> None:
    given = approval(answer, *beginnings)
    assert left(given) == set(gone)
    rest = [each for each in ENTRIES if each.asset_key not in gone]
    assert {each.asset_key: set(found) for each in rest if (found := given.withheld(each))} == withheld
    assert given.whole == (answer is ReviewAnswer.ALL and not beginnings)
    assert given.words()[0] == f"Reviewed: {answer}."


FIELDS = st.sampled_from(["name", "serialNumber", "status.name", "type.name"])
CHANGES = st.builds(FieldChange, FIELDS, st.sampled_from([None, "x", "y"]), st.sampled_from(["x", "z"]))
KINDS = st.sampled_from([EntryKind.CREATE, EntryKind.MODIFY])


@given(
    st.lists(
        st.tuples(KINDS, st.lists(CHANGES, min_size=1, max_size=4, unique_by=lambda each: each.field)),
        min_size=1,
        max_size=30,
    ),
    st.data(),
)
def test_no_change_of_a_kind_that_is_left_out_is_written_and_every_other_one_is(
    made: list[tuple[EntryKind, list[FieldChange]]], data: st.DataObject
) -> None:
    entries = [PlanEntry(kind, str(n), n, str(n), tuple(found)) for n, (kind, found) in enumerate(made)]
    whole = approval(ReviewAnswer.ALL, entries=entries)
    kinds = range(1, len(whole.numbers.lines) + 1)
    given = Approval(ReviewAnswer.ALL, whole.numbers, frozenset(data.draw(st.sets(st.sampled_from(kinds)))))
    for each in entries:
        numbers = set(given.numbers.of(each))
        assert numbers
        if each.kind is EntryKind.CREATE:
            assert bool(given.why_left(each)) == bool(numbers & given.left_out)
            continue
        written = () if given.why_left(each) else each.changes
        kept = {one.field for one in written} - given.withheld(each)
        wanted = {one.field for one in each.changes if given.numbers.of_change(one) not in given.left_out}
        assert kept == wanted
