"""The reverse of a run: only what is still as the run left it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import JournalledWrite
from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.payloads import overlay, without_info
from tasks.rules.asset_sync.undo import (
    journal_values,
    plan_undo,
    record_ids,
    unknown_creations,
    value_operations,
    with_found_ids,
)
from tests.support.factories.asset_sync import (
    COMPANY,
    REFERENCES,
    asset,
    compiled,
    payload_of,
    wire,
    with_values,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNANSWERED = [{"questionId": 1, "question": "Warranty?"}]


def write(operation: Any, before: Any = None, after: Any = None, **columns: Any) -> JournalledWrite:
    values = {
        "id": 1, "run_id": "r", "connection": "c", "company_id": COMPANY, "operation": operation,
        "record_kind": "configuration", "record_id": 100, "asset_key": "k1", "record_name": "PC k1",
        "before": before, "after": after, "begun_at": NOW, "settled_at": NOW, "outcome": "done",
        "message": None,
    }  # fmt: skip
    return JournalledWrite(**{**values, **columns})


def created() -> dict[str, Any]:
    record = payload_of(asset(serialNumber="S1")).record
    assert record is not None
    return record


def as_server_keeps(payload: dict[str, Any], **members: Any) -> dict[str, Any]:
    """What the server makes of a payload: its own defaults added."""
    fields = [*payload["customFields"], {"id": 9, "caption": "Rack"}]
    filled = {"id": 100, "status": {"id": 1}, "locationId": 2, "activeFlag": True, "backupFailed": 0}
    questions = [{"questionId": 1, "question": "Warranty?"}]
    return {**payload, **filled, "customFields": fields, "questions": questions, "_info": {}, **members}


def test_a_field_goes_back_to_what_it_was() -> None:
    undo = plan_undo(
        [write("modify", {"serialNumber": "S1"}, {"serialNumber": "S2"})], {100: wire(serialNumber="S2")}
    )
    assert [(step.action, step.record_id, dict(step.values)) for step in undo.steps] == [
        ("modify", 100, {"serialNumber": "S1"})
    ]


def test_a_field_that_changed_since_is_refused_and_the_others_go_back() -> None:
    entry = write("modify", {"serialNumber": "S1", "notes": None}, {"serialNumber": "S2", "notes": "n"})
    undo = plan_undo([entry], {100: wire(serialNumber="S3", notes="n")})
    assert dict(undo.steps[0].values) == {"notes": None}
    assert [(each.field, each.reason) for each in undo.refused] == [
        ("serialNumber", "Changed since: it is now 'S3'.")
    ]


def test_a_second_undo_finds_nothing_to_do() -> None:
    entry = write("modify", {"serialNumber": "S1"}, {"serialNumber": "S2"})
    undo = plan_undo([entry], {100: wire(serialNumber="S1")})
    assert (undo.steps, undo.refused, undo.undone_already) == ([], [], 1)


def test_two_writes_to_one_record_are_undone_as_one() -> None:
    first = write("modify", {"notes": "a"}, {"notes": "b"}, id=1)
    second = write("modify", {"notes": "b"}, {"notes": "c"}, id=2)
    undo = plan_undo([second, first], {100: wire(notes="c")})
    assert [dict(step.values) for step in undo.steps] == [{"notes": "a"}]


def test_a_type_goes_back_by_its_own_call() -> None:
    entry = write("change_type", {"type": {"id": 11}}, {"type": {"id": 12}})
    undo = plan_undo([entry], {100: wire(type={"id": 12, "name": "ls_Linux"}, questions=UNANSWERED)})
    assert (undo.steps[0].action, undo.steps[0].values["type"]) == ("change_type", {"id": 11})


def test_a_type_whose_questions_were_answered_since_stays() -> None:
    entry = write("change_type", {"type": {"id": 11}}, {"type": {"id": 12}})
    undo = plan_undo([entry], {100: wire(type={"id": 12, "name": "ls_Linux"})})
    assert undo.steps == []
    assert "questions were answered since" in undo.refused[0].reason


def test_a_creation_whose_id_was_found_later_is_undone_like_any_other() -> None:
    lost = write("create", None, created(), record_id=None, outcome=None)
    known = write("create", None, created(), id=2, record_id=7, asset_key="k2")
    never = write("create", None, created(), id=3, record_id=None, outcome="not_sent", asset_key="k3")
    assert unknown_creations([lost, known, never]) == {"k1"}
    assert with_found_ids([lost, known, never], {}) == [lost, known, never]
    assert with_found_ids([lost], {"k1": [100, 101]}) == [lost]
    found = with_found_ids([lost, known, never], {"k1": [100], "k2": [8], "k3": [9]})
    assert [each.record_id for each in found] == [100, 7, None]
    undo = plan_undo(found, {100: as_server_keeps(created())})
    assert [(step.action, step.record_id) for step in undo.steps] == [("delete", 100)]


def test_a_reference_without_its_id_in_the_journal_is_compared_by_name_and_refused() -> None:
    entry = write("change_type", {"type": {"name": "ls_Windows"}}, {"type": {"id": 12, "name": "ls_Linux"}})
    undo = plan_undo([entry], {100: wire(type={"id": 12, "name": "ls_Linux"}, questions=UNANSWERED)})
    assert [each.reason for each in undo.refused] == ["The journal does not hold the id of 'ls_Windows'."]
    assert plan_undo([entry], {100: wire(type={"id": 11, "name": "LS_Windows"})}).undone_already == 1


def test_a_created_configuration_is_deleted_if_nothing_was_added() -> None:
    undo = plan_undo([write("create", None, created())], {100: as_server_keeps(created())})
    assert [(step.action, step.record_id) for step in undo.steps] == [("delete", 100)]


def test_a_created_configuration_that_somebody_worked_on_stays() -> None:
    for name, members in {
        "notes": {"notes": "call the client first"},
        "serialNumber": {"serialNumber": "S9"},
        "contact": {"contact": {"id": 4}},
        "questions": {"questions": [{"questionId": 1, "answer": "yes"}]},
        "customFields/9": {"customFields": [*created()["customFields"], {"id": 9, "value": "R1"}]},
    }.items():
        undo = plan_undo([write("create", None, created())], {100: as_server_keeps(created(), **members)})
        assert undo.steps == []
        assert undo.refused[0].reason.startswith(f"Changed since it was created: {name}.")


def test_what_was_never_done_is_ignored_and_unclear_writes_are_read_off_the_record() -> None:
    writes = [
        write("modify", {"notes": "a"}, {"notes": "b"}, outcome="failed"),
        write("modify", {"ram": "8"}, {"ram": "16"}, id=2, outcome="unclear"),
        write("modify", {"cpuSpeed": "1"}, {"cpuSpeed": "2"}, id=3, outcome=None, record_id=101),
    ]
    undo = plan_undo(writes, {100: wire(notes="b", ram="16"), 101: wire(101, cpuSpeed="1")})
    assert [dict(step.values) for step in undo.steps] == [{"ram": "8"}]
    assert undo.undone_already == 1


def test_what_can_not_be_undone_is_told() -> None:
    writes = [
        write("create_reference", None, {"name": "Cray"}, record_kind="manufacturer"),
        write("create", None, created(), id=2, record_id=None, outcome="unclear"),
        write("modify", {"notes": "a"}, {"notes": "b"}, id=3, record_id=7),
        write("create", None, created(), id=4, record_id=8),
    ]
    undo = plan_undo(writes, {})
    assert [each.reason.split(".")[0] for each in undo.refused] == [
        "A manufacturer that the run created stays: others may use it by now",
        "Its id is not known",
        "The configuration was deleted since",
    ]
    assert (undo.steps, undo.undone_already) == ([], 1)
    assert record_ids(writes) == [7, 8]


texts = st.none() | st.text(alphabet="ab1", min_size=1, max_size=3)
values = st.fixed_dictionaries({"serialNumber": texts, "modelNumber": texts, "notes": texts})
choices = st.fixed_dictionaries({"manufacturer_name": st.sampled_from([None, "Dell", "HP"])})


@given(values, values, choices)
def test_a_modification_and_its_undo_leave_the_record_as_it_was(old: Any, new: Any, chosen: Any) -> None:
    mapping = compiled()
    before = wire(manufacturer={"id": 31, "name": "Dell"}, **{k: v for k, v in old.items() if v})
    changes = differences(asset(**new, **chosen), mapping.read_configuration(before), mapping)
    after = overlay(before, changes, mapping, REFERENCES)
    entry = write("modify", journal_values(before, changes, mapping), journal_values(after, changes, mapping))
    undo = plan_undo([entry], {100: after})
    assert undo.refused == []
    restored = with_values(after, undo.steps[0].values) if undo.steps else after
    assert _by_id(restored) == _by_id(without_info(before))


def _by_id(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value["id"] if isinstance(value, dict) else value for key, value in record.items()}


def test_the_operations_put_references_back_by_id_and_custom_fields_last() -> None:
    assert value_operations(
        {"customFields/5": "k", "manufacturer": {"id": 3, "name": "Dell"}, "notes": None}
    ) == [
        {"op": "replace", "path": "manufacturer", "value": {"id": 3}},
        {"op": "remove", "path": "notes"},
        {"op": "replace", "path": "customFields", "value": [{"id": 5, "value": "k"}]},
    ]
