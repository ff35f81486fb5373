"""The model answer of the asset synchronization: a right end passes, and every planted fault is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.chaos.asset_model import link_of
from benchmarks.chaos.asset_oracle import AssetOracle
from benchmarks.chaos.asset_trail import AT_ONCE, LOST
from benchmarks.chaos.verdict import RunRecord
from deployments.local.sandbox import Sandbox
from tests.support.benchmarks.asset_stage import NAME, Stage
from tests.support.sandbox.calls import CONFIGURATIONS


def test_a_right_end_has_no_fault_and_much_was_looked_at(stage: Stage) -> None:
    runs = stage.runs()
    verdict = stage.judge(runs)
    assert verdict.faults == []
    counts = runs[0].counts or {}
    assert counts["created"] > 5
    assert counts["modified"] > 3
    assert counts["ambiguous"] >= 1
    assert verdict.checked["law 3: nothing lost"] > 200
    assert verdict.checked["law 4"] > 300
    assert not verdict.apart.total()


def test_in_patch_mode_too(stage: Stage) -> None:
    stage.begin(write_mode="patch")
    assert stage.judge(stage.runs()).faults == []


def _second(stage: Stage) -> str:
    each = stage.linked()
    fields = [{"id": 5, "value": link_of(each)}]
    body: dict[str, Any] = {"name": "twin", "type": {"id": 1}, "company": each["company"]}
    body["customFields"] = fields
    assert stage.sync.http.post(CONFIGURATIONS, json=body).status_code == 201
    return f"asset {link_of(each)} has the configurations {each['id']}, "


def _deleted(stage: Stage) -> str:
    number = stage.linked(False)["id"]
    stage.sync.http.delete(f"{CONFIGURATIONS}/{number}")
    return f"configuration {number} was deleted by DELETE "


def _unmapped(stage: Stage) -> str:
    each = stage.linked()
    stage.sync.patch(each["id"], tagNumber="T-1")
    return (
        f"configuration {each['id']} (asset {link_of(each)}): tagNumber is 'T-1' since "
        f"PATCH /company/configurations/{{id}} instead of the value before the runs {each['tagNumber']!r}"
    )


def _emptied(stage: Stage) -> str:
    each = stage.another(lambda one: bool(one.get("notes")))
    (record,) = stage.sync.read(each["id"])
    stage.sync.put([record | {"notes": ""}])
    return (
        f"configuration {each['id']} (asset {link_of(each)}): notes is '' since "
        f"PUT /company/configurations/bulk instead of the value before the runs {each['notes']!r}"
    )


def _emptied_for_a_moment(stage: Stage) -> str:
    each = stage.another(lambda one: bool(one.get("notes")))
    (record,) = stage.sync.read(each["id"])
    stage.sync.put([record | {"notes": ""}])
    stage.sync.patch(each["id"], notes=each["notes"])
    return (
        f"configuration {each['id']}: notes, which is not to be written, was '' from "
        "PUT /company/configurations/bulk until PATCH /company/configurations/{id} put it back"
    )


def _somebody_elses_field(stage: Stage) -> str:
    each = stage.linked()
    stage.sync.patch(each["id"], customFields=[{"id": 4, "value": "R9"}])
    return f"configuration {each['id']} (asset {link_of(each)}): customFields.Rack position is 'R9'"


def _wrong_value(stage: Stage) -> str:
    each = stage.linked()
    stage.sync.patch(each["id"], name="nobody's")
    return f'asset {link_of(each)}, configuration {each["id"]}: name is "nobody\'s" instead of '


def _wrong_reference(stage: Stage) -> str:
    each = stage.another(lambda one: "manufacturer" in one)
    stage.sync.patch(each["id"], manufacturer={"id": 5 if each["manufacturer"]["id"] != 5 else 7})
    return f"asset {link_of(each)}, configuration {each['id']}: manufacturer.name is "


def _type(stage: Stage) -> str:
    each = stage.linked()
    body = [{"op": "replace", "path": "type", "value": {"id": 5 if each["type"]["id"] != 5 else 6}}]
    assert stage.sync.http.patch(f"{CONFIGURATIONS}/{each['id']}/changeType", json=body).status_code == 200
    return f"configuration {each['id']} (asset {link_of(each)}): type is "


def _other_company(stage: Stage) -> str:
    each = next(one for one in stage.sandbox.state(NAME) if one["company"]["id"] != stage.sandbox.company_id)
    stage.sync.patch(each["id"], name="ours")
    return f"configuration {each['id']} (asset None): name is 'ours'"


def _made_twice(stage: Stage) -> str:
    stage.sandbox.add("procurement/manufacturers", {"name": " lenovo "})
    return "procurement/manufacturers: 'lenovo' was made 1 times, beside 1 before"


def _unwanted(stage: Stage) -> str:
    stage.sandbox.add("company/configurations/types", {"name": "ls_Toaster"})
    return "company/configurations/types: 'ls_toaster' was made, and no asset has it"


def _table_changed(stage: Stage) -> str:
    stage.sandbox.edit("procurement/manufacturers", 1, {"name": "Dell"})
    return "procurement/manufacturers 1 (Dell Inc.) was changed or deleted"


def _invented(stage: Stage) -> str:
    company = {"id": stage.sandbox.company_id}
    body: dict[str, Any] = {"name": "x", "type": {"id": 1}, "company": company}
    body["customFields"] = [{"id": 5, "value": "no-such-key"}]
    number = stage.sync.http.post(CONFIGURATIONS, json=body | {"notes": "made up"}).json()["id"]
    return f"configuration {number} was created for asset 'no-such-key', which never was"


PLANTS: tuple[Callable[[Stage], str], ...] = (
    _second,
    _deleted,
    _unmapped,
    _emptied,
    _emptied_for_a_moment,
    _somebody_elses_field,
    _wrong_value,
    _wrong_reference,
    _type,
    _other_company,
    _made_twice,
    _unwanted,
    _table_changed,
    _invented,
)


def test_what_the_integration_must_not_do_is_named(stage: Stage) -> None:
    runs = stage.runs()
    planted = {plant.__name__: plant(stage) for plant in PLANTS}
    found = stage.judge(runs).faults
    unseen = {name: words for name, words in planted.items() if not any(words in fault for fault in found)}
    assert not unseen, found


def test_a_created_configuration_has_what_is_mapped_and_nothing_else(stage: Stage) -> None:
    runs = stage.runs()
    _invented(stage)
    assert any("was created with notes 'made up', which is not mapped" in f for f in stage.judge(runs).faults)


def test_an_asset_that_was_left_out_is_lost(stage: Stage) -> None:
    first = stage.sync.run("clean")
    lost = next(each["asset_key"] for each in (first.report or {})["written"] if each["action"] == "created")
    stage.begin()
    runs = [stage.sync.run("clean", leave=[lost]), stage.sync.run("quiet", leave=[lost])]
    found = stage.judge(runs).faults
    assert f"asset {lost} has no configuration, and nothing stands in the way of one" in found
    assert any("The quiet run says skipped 1, and the model says 0" in fault for fault in found)


def test_a_match_that_was_not_carried_out_is_lost(stage: Stage) -> None:
    key, number = _match(stage)
    runs = [stage.sync.run("clean", leave=[key]), stage.sync.run("quiet", leave=[key])]
    found = " ".join(stage.judge(runs).faults)
    assert f"asset {key} is not linked, though configuration {number} has its " in found
    assert f"asset {key} belongs to configuration {number} from the start, and has " in found


def test_a_new_configuration_beside_the_one_of_the_start(stage: Stage) -> None:
    key, number = _match(stage)
    found = stage.judge(stage.runs(anew=[key])).faults
    assert any(f"asset {key} belongs to configuration {number} from the start" in fault for fault in found)


def _match(stage: Stage) -> tuple[str, int]:
    first = stage.sync.run("clean")
    told = next(each for each in (first.report or {})["written"] if each["action"] == "modified")
    stage.begin()
    return told["asset_key"], told["configuration_id"]


def test_a_persons_edit_between_re_read_and_put_is_counted_apart(stage: Stage) -> None:
    def person(records: list[dict[str, Any]]) -> None:
        stage.sandbox.edit(NAME, records[0]["id"], {"notes": "unseen"})

    verdict = stage.judge(stage.runs(between=person))
    assert verdict.faults == []
    assert verdict.apart[LOST] == 1


def test_an_edit_that_was_there_to_be_read_may_not_be_lost(stage: Stage) -> None:
    runs = stage.runs()
    number = stage.linked()["id"]
    before = stage.sync.read(number)
    stage.sandbox.edit(NAME, number, {"notes": "to be seen"})
    stage.sync.read(number)
    stage.sync.put(before)
    verdict = stage.judge(runs)
    assert any("notes is" in f and "a person's value 'to be seen'" in f for f in verdict.faults)
    assert not verdict.apart[LOST]


def test_no_read_serves_two_puts(stage: Stage) -> None:
    runs = stage.runs()
    number = stage.linked()["id"]
    read = stage.sync.read(number)
    stage.sync.put(read)
    stage.sandbox.edit(NAME, number, {"notes": "to be seen"})
    stage.sync.put(read)
    assert any("a person's value 'to be seen'" in fault for fault in stage.judge(runs).faults)


def test_a_read_of_everything_serves_no_put(stage: Stage) -> None:
    runs = stage.runs()
    number = stage.linked()["id"]
    company = {"conditions": "company/id = 6", "pageSize": "1000"}
    everything = stage.http.get(CONFIGURATIONS, params=company).json()
    stage.sandbox.edit(NAME, number, {"notes": "to be seen"})
    stage.sync.put([each for each in everything if each["id"] == number])
    verdict = stage.judge(runs)
    assert any("a person's value 'to be seen'" in fault for fault in verdict.faults)
    assert not verdict.apart[LOST]


@pytest.mark.parametrize(("others", "lost"), [(AT_ONCE, 1), (AT_ONCE + 1, 0)])
def test_a_read_serves_only_as_long_as_batches_are_under_way_side_by_side(
    stage: Stage, others: int, lost: int
) -> None:
    runs = stage.runs()
    read = stage.sync.read(stage.linked()["id"])
    stage.sandbox.edit(NAME, read[0]["id"], {"notes": "by hand"})
    for _ in range(others):
        stage.sync.put(stage.sync.read(stage.linked(False)["id"]))
    stage.sync.put(read)
    verdict = stage.judge(runs)
    assert verdict.apart[LOST] == lost
    assert any("a person's value 'by hand'" in fault for fault in verdict.faults) is not bool(lost)


def test_a_read_of_one_run_serves_no_put_of_the_next(stage: Stage) -> None:
    runs = [stage.sync.run("clean")]
    read = stage.sync.read(stage.linked()["id"])
    runs[0].requests = stage.sandbox.requests()
    stage.sandbox.edit(NAME, read[0]["id"], {"notes": "by hand"})
    stage.sandbox.clear_requests()
    stage.sync.put(read)
    late = RunRecord("disturbed", "killed", None, None, stage.sandbox.requests())
    found = stage.judge([*runs, late, stage.sync.run("quiet")]).faults
    assert any("a person's value 'by hand'" in fault for fault in found)


def test_in_patch_mode_no_edit_may_be_lost(stage: Stage) -> None:
    stage.begin(write_mode="patch")
    runs = stage.runs()
    number = stage.linked()["id"]
    before = stage.sync.read(number)
    stage.sandbox.edit(NAME, number, {"notes": "to be kept"})
    stage.sync.put(before)
    assert any("a person's value 'to be kept'" in fault for fault in stage.judge(runs).faults)


def test_what_persons_do_is_taken_into_account(stage: Stage) -> None:
    first = stage.sync.run("disturbed")
    hand_made, created = stage.linked(), stage.linked(False)
    stage.sandbox.delete(NAME, created["id"])
    stage.sandbox.edit(NAME, hand_made["id"], {"notes": "a person's", "vendorNotes": None})
    stage.sandbox.add(NAME, {"name": "by hand", "type": {"id": 1}, "company": {"id": 6}})
    stage.sandbox.churn(0.1, ["add", "retire"])
    runs = [first, *stage.runs()]
    assert stage.judge(runs).faults == []
    again = [each for each in stage.own() if link_of(each) == link_of(created)]
    assert len(again) == 1
    assert again[0]["id"] != created["id"]


def test_persons_may_give_an_asset_a_second_configuration(stage: Stage) -> None:
    first = stage.sync.run("disturbed")
    each = stage.linked()
    fields = [{"id": 5, "value": link_of(each)}]
    twin = {"name": "twin", "type": {"id": 1}, "company": {"id": 6}, "customFields": fields}
    stage.sandbox.add(NAME, twin)
    verdict = stage.judge([first, *stage.runs()])
    assert verdict.faults == []
    assert verdict.apart["asset with two configurations by persons"] == 1


def test_settings_that_the_model_does_not_know_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="does not know structure_level_id"):
        AssetOracle(sandbox, {"structure_level_id": 3})
    with pytest.raises(ValueError, match="neither clear nor value tables"):
        AssetOracle(sandbox, {"mappings": [{"source": "a", "target": "notes", "clear": True}]})
