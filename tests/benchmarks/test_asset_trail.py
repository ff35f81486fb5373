"""One configuration's history: what the integration must not have done to it, and what nobody could help."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.chaos.asset_oracle import named_in_report
from benchmarks.chaos.asset_trail import API, FILLED, GIVEN_BACK, LEFT, LOST, TYPED, Trail
from benchmarks.chaos.verdict import RunRecord

Record = dict[str, Any]
START: Record = {"id": 7, "company": {"id": 6}, "vendorNotes": "order 6227", "lastLoginName": ""}


class Story:
    """Things that happen to a configuration, one after the other."""

    def __init__(self, *resets: str, bulk: bool = False) -> None:
        self.bulk = bulk
        self.trail = Trail(7, START, serves=lambda read, put: bulk, resets=frozenset(resets))
        self.record = START
        self.at = 0

    def read(self) -> Story:
        return self._step("read", API, "GET /company/configurations", {})

    def person(self, **changes: Any) -> Story:
        return self._step("updated", "somebody", "form", changes)

    def write(self, method: str, **changes: Any) -> Story:
        return self._step("updated", API, f"{method} /company/configurations", changes)

    def end(self, *, told: bool = False) -> Trail:
        self.trail.finish(self.record, lambda entry: False, lambda entry, number, name: told)
        return self.trail

    def _step(self, action: str, by: str, name: str, changes: Record) -> Story:
        self.at += 1
        self.record = self.record | changes
        entry = {"action": action, "by": by, "name": name, "record": self.record}
        fill = {"at": self.at, "since": self.at, "id": 7, "request": self.at, "query": ""}
        self.trail.follow(entry | fill, _only_empty_login_names, patch_only=not self.bulk)
        return self


def _only_empty_login_names(record: Record, member: str, before: Any) -> bool:
    return member == "lastLoginName" and before in (None, "")


def test_what_a_person_typed_after_the_read_could_not_be_known_to_a_patch_that_fills() -> None:
    trail = Story().read().person(lastLoginName="by hand").write("PATCH", lastLoginName="anna").end()
    assert trail.faults == []
    assert trail.apart == {FILLED: 1}


def test_what_was_there_to_be_read_is_not_filled() -> None:
    trail = Story().person(lastLoginName="by hand").read().write("PATCH", lastLoginName="anna").end()
    assert "lastLoginName is 'anna'" in trail.faults[0]


def test_no_other_field_than_one_to_fill_is_excused() -> None:
    trail = Story().read().person(vendorNotes="by hand").write("PATCH", vendorNotes="anna").end()
    assert "vendorNotes is 'anna'" in trail.faults[0]


def test_what_a_person_typed_after_the_read_could_not_be_known_to_a_patch_that_puts_back() -> None:
    reset = Story("vendorNotes").read().write("PUT", vendorNotes=None).read()
    trail = reset.person(vendorNotes="by hand").write("PATCH", vendorNotes="order 6227").end()
    assert trail.faults == []
    assert trail.apart[TYPED] == 1


def test_what_was_there_to_be_read_is_not_put_back_over() -> None:
    reset = Story("vendorNotes").read().write("PUT", vendorNotes=None).person(vendorNotes="by hand")
    trail = reset.read().write("PATCH", vendorNotes="order 6227").end()
    assert "vendorNotes is 'order 6227'" in trail.faults[0]


def test_nothing_else_is_put_back_than_what_was_there() -> None:
    reset = Story("vendorNotes").read().write("PUT", vendorNotes=None).read()
    trail = reset.person(vendorNotes="by hand").write("PATCH", vendorNotes="order 1").end()
    assert "vendorNotes is 'order 1'" in trail.faults[0]


def test_an_edit_that_a_late_put_took_away_may_be_given_back() -> None:
    lost = Story(bulk=True).read().person(vendorNotes="by hand").write("PUT", vendorNotes="order 6227")
    trail = lost.write("PATCH", vendorNotes="by hand").end()
    assert trail.faults == []
    assert trail.apart == {LOST: 1, GIVEN_BACK: 1}


def test_what_a_person_typed_over_is_not_given_back() -> None:
    story = Story(bulk=True).person(vendorNotes="by hand").person(vendorNotes="at last").read()
    trail = story.write("PATCH", vendorNotes="by hand").end()
    assert "vendorNotes is 'by hand'" in trail.faults[0]


def test_a_reset_that_was_left_to_a_person_and_told_is_counted_apart() -> None:
    trail = Story("vendorNotes").read().write("PUT", vendorNotes=None).person(model="x").end(told=True)
    assert trail.faults == []
    assert trail.apart == {LEFT: 1}


def test_a_reset_that_nobody_is_told_of_is_a_fault() -> None:
    trail = Story("vendorNotes").read().write("PUT", vendorNotes=None).person(model="x").end()
    assert "vendorNotes is None" in trail.faults[0]


def test_a_reset_of_a_record_that_nobody_changed_since_is_a_fault_though_told() -> None:
    trail = Story("vendorNotes").person(model="x").read().write("PUT", vendorNotes=None).end(told=True)
    assert "vendorNotes is None" in trail.faults[0]


LEFT_ALONE = (
    "Somebody else changed configurations 7, 19 right after that, so they were left as they are: see whether "
    "these fields are right (managementLink, vendorNotes)."
)
NOT_KNOWN = (
    "After the first bulk modification fields that are not mapped were changed (vendorNotes) in "
    "configurations 7, 19. Whether ConnectWise reset them or somebody edited them can't be told, so nothing "
    "was put back: see whether they are right. The run went on with PATCH."
)


@pytest.mark.parametrize("note", [LEFT_ALONE, NOT_KNOWN])
@pytest.mark.parametrize(
    ("number", "name", "request_number", "told"),
    [
        (7, "vendorNotes", 5, True),
        (19, "vendorNotes", 5, True),
        (9, "vendorNotes", 5, False),
        (7, "notes", 5, False),
        (7, "vendorNotes", 50, False),
    ],
)
def test_a_report_tells_of_its_own_writes_by_number_and_field(
    note: str, number: int, name: str, request_number: int, told: bool
) -> None:
    run = RunRecord("clean", "Completed", {}, {"notes": [note]}, {"before": 0, "total": 10})
    assert named_in_report([run], {"request": request_number}, number, name) is told


def merging(*steps: str, bulk: bool = False) -> Trail:
    """A story of a login name that both sides may change; ``!x``: the integration writes x."""
    story = Story(bulk=bulk)
    story.trail.merged = frozenset({"lastLoginName"})
    for step in steps:
        if step == "read":
            story.read()
        elif step.startswith("!"):
            story.trail.now.pop("lastLoginName", None)
            story.write("PUT" if bulk else "PATCH", lastLoginName=step[1:])
        else:
            story.person(lastLoginName=step)
    return story.trail


@pytest.mark.parametrize("bulk", [True, False])
def test_a_persons_edit_is_not_to_be_undone_by_the_value_of_before(bulk: bool) -> None:
    assert "over a person's edit" in merging("read", "!anna", "by hand", "read", "!anna", bulk=bulk).faults[0]
    assert merging("read", "!anna", "by hand", "read", "!bert", bulk=bulk).faults == []
    late = merging("read", "!anna", "read", "by hand", "!anna", bulk=bulk)
    assert (late.faults, late.apart) == ([], {LOST: 1})
