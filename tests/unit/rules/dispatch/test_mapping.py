"""The seven mapping actions, the defaults, what is refused before a run, and what a record becomes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.rules.dispatch.mapping import (
    DispatchMappingError,
    check_dispatch_mappings,
    inbound_problems,
    outbound_problems,
    outbound_values,
    work_order_of,
)
from tasks.rules.dispatch.mapping_model import DispatchMappings, default_dispatch_mappings
from tasks.rules.dispatch.paths import read_path, steps_of, write_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import chosen_address, description_of, source_members
from tests.support.factories.dispatch import COMPANY, SITE, TICKET, line, made, source

NAMES = st.text(alphabet=st.characters(exclude_characters=".[]", codec="ascii"), min_size=1, max_size=6)
FIXED: dict[str, Any] = {"type_of_work_id": 103, "pay_type": "fixed", "pay_amount": 150, "pay_units": 1}


def title(document: Any = None, **members: Any) -> Any:
    mapped = work_order_of([line(**members)], document or source())
    assert mapped.problems == ()
    return mapped.body.get("title")


BOUND = {"compare": 1, "value": "a"}
PRIORITIES = [{"compare": "Priority 1 - Critical", "value": "urgent"}, {"compare": "1", "value": "one"}]


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ({"source": "company.name"}, "Blue Light, Co."),
        ({"source": "site.city", "action": "ACTION_TYPE_SYNC"}, "Tampa"),
        ({"source": "customFields.Send to FN"}, "true"),
        ({"source": "customFields.Rack no. 1", "default": "none"}, "none"),
        ({"source": "company.phoneNumber"}, None),
        ({"action": "Set Static", "value": 7.0}, "7"),
        ({"action": "ACTION_TYPE_ARRAY_MAP", "source": "priority.name", "mappings": PRIORITIES}, "urgent"),
        ({"action": "Array Map", "source": "status.name", "mappings": PRIORITIES, "default": "x"}, "x"),
        ({"action": "Array Map", "source": "priority.id", "mappings": PRIORITIES}, None),
        ({"action": "Range Map", "source": "id", "ranges": [{"compare": 100, "value": "a"}]}, None),
        (
            {
                "action": "Range Map",
                "source": "id",
                "ranges": [{"compare": 101, "value": "a"}, {"compare": 500, "value": "b"}],
            },
            "a",
        ),
        (
            {"action": "Range Map", "source": "summary", "ranges": [BOUND], "default": "d"},
            "d",
        ),
        (
            {
                "action": "Date Convert",
                "source": "requiredDate",
                "output_format": "MM/DD/YYYY h:mm A",
                "timezone_out": "America/New_York",
            },
            "12/01/2026 9:30 AM",
        ),
        ({"action": "Date Convert", "source": "closedDate", "default": "open"}, "open"),
        (
            {
                "action": "Concat",
                "parts": [
                    {"type": "field", "value": "company.identifier"},
                    {"type": "static", "value": " / "},
                    {"type": "field", "value": "item.name"},
                    {"type": "field", "value": "id"},
                ],
            },
            "BlueLightCo / 101",
        ),
        (
            {
                "action": "Concat",
                "parts": [{"type": "static", "value": "#"}, {"type": "field", "value": "item.name"}],
                "default": "no item",
            },
            "no item",
        ),
        ({"action": "Custom", "script": "join('-', [board.name, type.name])"}, "Field Services-On-Site"),
        ({"action": "Custom", "script": "subType.name", "default": "plain"}, "plain"),
    ],
)  # fmt: skip
def test_the_seven_actions(members: dict[str, Any], value: Any) -> None:
    assert title(**members) == value


@pytest.mark.parametrize("empty", [None, "", "  ", [], {}])
def test_a_default_takes_the_place_of_what_is_missing_null_or_empty(empty: Any) -> None:
    assert title({"x": empty}, source="x", default="d") == "d"


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (False, "false"), (0.5, "0.5")])
def test_zero_and_false_are_values(value: Any, text: str) -> None:
    assert title({"x": value}, source="x", default="d") == text


@pytest.mark.parametrize(
    ("compare", "value", "same"),
    [
        ("1", 1, False),
        (1, True, False),
        (1, 1.0, True),
        ("a", "A", False),
        ("Büro", "Bu\u0308ro", True),
        ("a", "\u2068a\u2069", True),
        (None, None, False),
        (True, True, True),
    ],
)
def test_array_map_compares_exactly(compare: Any, value: Any, same: bool) -> None:
    mappings = [{"compare": compare, "value": "hit"}]
    assert title({"x": value}, action="Array Map", source="x", mappings=mappings) == ("hit" if same else None)


def test_a_null_date_comes_back_as_nothing() -> None:
    lines = [line(target="dateResolved", source="schedule.end")]
    values, problems = outbound_values(lines, {"id": 7, "schedule": {"end": "0001-01-01 00:00:00"}})
    assert (values, problems) == ({}, [])


def test_a_caption_in_another_normal_form_is_the_same() -> None:
    fields = [{"caption": "Gera\u0308t ", "value": "WS-7"}]
    assert made(line(target="title", source="customFields.Gerät"), customFields=fields) == {"title": "WS-7"}


def test_one_message_names_all_that_is_missing() -> None:
    mapped = work_order_of([line(target="location.city", source="address.city")], source())
    assert mapped.message == (
        "The work order lacks title, start date and time, schedule mode, description, type of work, "
        "pay type, pay base amount, location mode, address, state, zip and country. "
        "Map them, give them a default, or name a template that has them."
    )


@pytest.mark.parametrize(
    ("fixed", "missing"),
    [
        (FIXED, ()),
        ({"template_id": 601}, ()),
        ({"pay_type": "fixed"}, ("type of work", "pay base amount")),
    ],
)
def test_the_default_mapping_makes_a_whole_work_order(
    fixed: dict[str, Any], missing: tuple[str, ...]
) -> None:
    mappings = default_dispatch_mappings(RecordKind.SERVICE_TICKET, reference_field_id=801, **fixed)
    mapped = work_order_of(mappings.inbound, source())
    assert (mapped.problems, mapped.missing) == ((), missing)
    record = mapped.body
    assert record["title"] == "[CW-S-101] Replace the access point"
    assert record["incident_id"] == "CW-S-101"
    assert record["location"] == {
        "mode": "custom",
        "address1": "1 Harbour Street",
        "city": "Tampa",
        "state": "FL",
        "zip": "33602",
        "country": "US",
        "display_name": "Main",
    }
    assert record["contacts"]["results"][0]["role"] == "Location Contact"
    assert record["custom_fields"]["results"][0]["results"] == [{"id": 801, "value": "CW-S-101"}]


def test_the_default_mapping_of_a_ticket_without_a_note_describes_it_by_its_summary() -> None:
    mappings = default_dispatch_mappings(RecordKind.SERVICE_TICKET, **FIXED)
    record = work_order_of(mappings.inbound, source(description="", contactName=None, contact=None)).body
    assert record["description"]["html"] == "<p>Replace the access point</p>"
    assert "contacts" not in record


@pytest.mark.parametrize("kind", list(RecordKind))
def test_every_default_mapping_passes_its_own_check(kind: RecordKind) -> None:
    mappings = default_dispatch_mappings(kind, reference_field_id=801, template_id=601, **FIXED)
    check_dispatch_mappings(mappings, sources=source_members(kind), custom_fields=[801])
    assert mappings.outbound


def test_project_tickets_and_opportunities_become_work_orders() -> None:
    project = default_dispatch_mappings(RecordKind.PROJECT_TICKET, **FIXED)
    document = source(RecordKind.PROJECT_TICKET, scheduleStartDate="2026-12-02T09:00:00Z")
    record = work_order_of(project.inbound, document).body
    assert record["schedule"]["service_window"]["start"] == {"utc": "2026-12-02 09:00:00"}
    offer = default_dispatch_mappings(RecordKind.OPPORTUNITY, **FIXED)
    document = source(
        RecordKind.OPPORTUNITY,
        name="New Wi-Fi",
        notes="Survey first",
        expectedCloseDate="2026-12-03T00:00:00Z",
    )
    mapped = work_order_of(offer.inbound, document)
    assert mapped.message == ""
    assert mapped.body["title"] == "[CW-O-101] New Wi-Fi"
    assert mapped.body["description"]["html"] == "<p>Survey first</p>"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"source": "sumary"}, "Did you mean summary"),
        ({"source": "company.nmae"}, "Did you mean name?"),
        ({"source": "company..name"}, "is no path"),
        ({"source": "customFields.Send to XX"}, "Did you mean Send to FN?"),
        ({"target": "titel", "source": "summary"}, "Did you mean title?"),
        ({"target": "custom_fields.99", "source": "summary"}, "no custom field with the id 99"),
        ({"target": "custom_fields.name", "source": "summary"}, "is no Field Nation field"),
        ({}, "needs source"),
        ({"action": "Array Map", "source": "summary"}, "needs mappings"),
        ({"action": "Range Map"}, "needs source and ranges"),
        ({"action": "Concat"}, "needs parts"),
        ({"action": "Custom", "script": "a ||"}, "is not a JMESPath expression"),
        ({"action": "Custom", "script": "nope(a)"}, "calls nope()"),
        ({"action": "Date Convert", "source": "requiredDate", "output_format": "YYYY Q"}, "no date token"),
        ({"action": "Date Convert", "source": "requiredDate", "input_format": "HH:mm"}, "year, month"),
        ({"action": "Date Convert", "source": "requiredDate", "timezone_in": "Mars"}, "no time zone"),
        ({"target": "pay.type", "action": "Set Static", "value": "monthly"}, "is none of fixed, hourly"),
        ({"target": "location.state", "source": "address.state", "default": "Floridaa"}, "is no state"),
        (
            {
                "action": "Range Map",
                "source": "id",
                "ranges": [{"compare": 5, "value": "a"}, {"compare": 1, "value": "b"}],
            },
            "do not rise",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_a_run(members: dict[str, Any], words: str) -> None:
    sources = source_members(RecordKind.SERVICE_TICKET)
    problems = inbound_problems([line(**members)], sources, captions=["Send to FN"], custom_fields=[801])
    assert words in " ".join(problems)


def test_a_check_names_every_problem_of_both_lists_at_once() -> None:
    twice = line(source="summary")
    back = line(target="customFields.Arival", source="status.nmae")
    mappings = DispatchMappings(inbound=(twice, twice), outbound=(back, line(target="id", source="id")))
    with pytest.raises(DispatchMappingError) as caught:
        check_dispatch_mappings(mappings, captions=["Arrival"])
    assert "'title' is mapped 2 times" in str(caught.value)
    assert "Did you mean Arrival?" in str(caught.value)
    assert "reads 'status.nmae', which the status does not have. Did you mean name?" in str(caught.value)
    assert "'id' can't be written back" in str(caught.value)


@pytest.mark.parametrize(
    "bad", [{"action": "Script"}, {"extra": 1}, {"target": ""}, {"parts": [{"type": "x"}]}]
)
def test_what_is_no_line_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        line(**bad)


def test_what_comes_back() -> None:
    order = {
        "status": {"name": "Approved"},
        "closing_notes": "Replaced",
        "assignee": {"user": {"id": 5, "first_name": "Priya", "last_name": "Rao"}},
        "time_logs": {"hours": 1.5, "results": []},
        "custom_fields": {"results": [{"results": [{"id": 812, "name": "Serial Number", "value": "SN-9"}]}]},
    }
    more = [
        line(target="customFields.Technician", source="provider.name"),
        line(target="customFields.Serial", source="custom_fields.Serial Number"),
        line(target="customFields.Serial id", source="custom_fields.812"),
        line(target="actualHours", source="time_logs.hours"),
        line(target="summary", source="tags.none"),
    ]
    lines = [*default_dispatch_mappings(RecordKind.SERVICE_TICKET).outbound, *more]
    assert outbound_problems(lines) == []
    assert outbound_values(lines, order) == (
        {
            "status.name": "Completed",
            "internalNote": "Replaced",
            "customFields.Technician": "Priya Rao",
            "customFields.Serial": "SN-9",
            "customFields.Serial id": "SN-9",
            "actualHours": 1.5,
        },
        [],
    )


def test_nothing_comes_back_of_an_empty_work_order() -> None:
    lines = default_dispatch_mappings(RecordKind.SERVICE_TICKET).outbound
    assert outbound_values(lines, {"status": {"name": "Assigned"}}) == ({}, [])


def test_an_address_is_taken_whole_from_the_first_that_has_one() -> None:
    own = {"addressLine1": "3 Pier", "city": "Hilo", "stateIdentifier": "HI", "siteName": "Pier"}
    assert chosen_address({**TICKET, **own}, SITE, COMPANY)["state"] == "HI"
    half = {"addressLine1": "3 Pier", "city": "", "zip": "96720"}
    assert chosen_address({**TICKET, **half}, SITE, COMPANY)["zip"] == "33602"
    assert chosen_address(TICKET, {"name": "Main"}, COMPANY)["city"] == "Miami"
    assert set(chosen_address(TICKET, {}, {}).values()) == {""}


def test_the_description_is_the_oldest_note_that_is_one() -> None:
    notes: list[dict[str, Any]] = [
        {"id": 3, "text": "later", "detailDescriptionFlag": True},
        {"id": 1, "text": "inside", "internalAnalysisFlag": True},
        {"id": 2, "text": " first ", "detailDescriptionFlag": True},
    ]
    assert description_of(notes) == "first"
    assert description_of([]) == ""


@given(st.lists(st.one_of(NAMES, st.integers(0, 3)), min_size=1, max_size=5), st.integers())
def test_what_is_written_at_a_path_is_read_there(steps: list[str | int], value: int) -> None:
    path = "a" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    record: dict[str, Any] = {}
    write_path(record, path, value)
    assert read_path(record, path) == value
    assert steps_of(path) == ["a", *steps]


@pytest.mark.parametrize("path", ["", ".a", "a..b", "a[", "a[x]", "[0]", "a.", "a[0]b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        steps_of(path)
