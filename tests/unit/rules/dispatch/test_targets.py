"""What a value becomes at its target: dates, states and countries, numbers, and what does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.dispatch.mapping import work_order_of
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.sources import chosen_address
from tasks.rules.dispatch.targets import country_code, state_code
from tests.support.factories.dispatch import line, made, source


def test_values_are_made_to_fit_their_targets() -> None:
    lines = [
        line(target="description", source="description"),
        line(target="location.state", source="address.state"),
        line(target="location.country", source="address.country"),
        line(target="pay.base.amount", action="Set Static", value="$150.50"),
        line(target="manager.id", action="Set Static", value="9002"),
        line(target="require_gps", action="Set Static", value="yes"),
        line(target="schedule.service_window.start", source="requiredDate"),
        line(target="contacts[1].name", source="contactName"),
        line(target="contacts[1].role", action="Set Static", value="location contact"),
        line(target="types_of_work[1].id", action="Set Static", value=101),
        line(target="types_of_work[0].id", action="Set Static", value=103),
        line(target="custom_fields.801", source="id"),
    ]
    assert made(*lines) == {
        "description": {"html": "<p>Bring a ladder<br>and &lt;cable&gt;</p>"},
        "location": {"state": "FL", "country": "US"},
        "pay": {"base": {"amount": 150.5}},
        "manager": {"id": 9002},
        "require_gps": True,
        "schedule": {"service_window": {"start": {"utc": "2026-12-01 14:30:00"}}},
        "contacts": {"results": [{"name": "Anna Finch", "role": "Location Contact"}]},
        "types_of_work": [{"id": 103, "isPrimary": True}, {"id": 101}],
        "custom_fields": {"results": [{"results": [{"id": 801, "value": "101"}]}]},
    }


START = "schedule.service_window.start"


def start_of(**values: Any) -> Any:
    record = made(line(target=START, source=next(iter(values))), **values)
    return record.get("schedule", {}).get("service_window", {}).get("start")


@pytest.mark.parametrize(
    "given",
    [
        {"requiredDate": "2026-12-01"},
        {"expectedCloseDate": "2026-12-01T00:00:00Z"},
        {"customFields.Visit": "2026-12-01T00:00:00Z"},
    ],
)
def test_a_day_begins_in_the_morning_there(given: dict[str, str]) -> None:
    visit = [{"caption": "Visit", "type": "Date", "value": "2026-12-01T00:00:00Z"}]
    [(path, value)] = given.items()
    members = {"customFields": visit} if path.startswith("customFields") else {path: value}
    start = made(line(target=START, source=path), **members)["schedule"]["service_window"]["start"]
    assert start == {"local": {"date": "2026-12-01", "time": "08:00:00"}}


@pytest.mark.parametrize("member", ["requiredDate", "estimatedStartDate", "scheduleStartDate"])
@pytest.mark.parametrize(
    "text", ["2026-12-02T00:00:00Z", "2026-12-02T00:00:00+00:00", "2026-12-01T16:00:00-08:00"]
)
def test_midnight_of_a_moment_stays_a_moment(member: str, text: str) -> None:
    assert start_of(**{member: text}) == {"utc": "2026-12-02 00:00:00"}


@pytest.mark.parametrize("null", ["0001-01-01T00:00:00Z", "0000-01-01", "0001-01-01T00:00:00", "01/01/0001"])
def test_a_null_date_is_nothing_and_the_next_date_counts(null: str) -> None:
    assert start_of(requiredDate=null) is None
    choice = line(target=START, action="Custom", script="requiredDate || estimatedStartDate")
    record = made(choice, requiredDate=null, estimatedStartDate="2026-12-02T09:00:00Z")
    assert record["schedule"]["service_window"]["start"] == {"utc": "2026-12-02 09:00:00"}
    convert = line(target="title", action="Date Convert", source="x", default="none")
    assert made(convert, x=null) == {"title": "none"}
    field = [{"caption": "Visit", "type": "Date", "value": null}]
    assert made(line(target="title", source="customFields.Visit", default="-"), customFields=field) == {
        "title": "-"
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Ontario", "ON"),
        ("Québec", "QC"),
        ("Que\u0301bec", "QC"),
        ("Quebec", "QC"),
        ("D.C.", "DC"),
        ("B.C.", "BC"),
        ("British Columbia", "BC"),
        ("Fla.", "FL"),
        ("US-FL", "FL"),
        ("Guam", "GU"),
        ("AE", "AE"),
        ("by", "BY"),
        ("NEWFOUNDLAND and Labrador", "NL"),
        ("P.E.I.", "PE"),
        ("New  York", "NY"),
        ("W. Va.", "WV"),
        ("N. Carolina", "NC"),
        ("U.S. Virgin Islands", "VI"),
        ("\uff34\uff38", "TX"),
        ("Newfoundland & Labrador", "NL"),
        ("Nouvelle-\u00c9cosse", "NS"),
        ("\u00cele-du-Prince-\u00c9douard", "PE"),
        ("Colombie-Britannique", "BC"),
        ("Texas, USA", "TX"),
        ("CA, US", "CA"),
        ("Ontario, CA", "ON"),
        ("TX - Texas", "TX"),
        ("Texas (TX)", "TX"),
        ("State of Texas", "TX"),
        ("Hawai\u02bbi", "HI"),
        ("Wash. D.C.", "DC"),
        ("Armed Forces Pacific", "AP"),
    ],
)
def test_states_and_provinces_of_both_countries(text: str, code: str) -> None:
    assert state_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("U.S.A.", "US"),
        ("Espa\u00f1a", "ES"),
        ("Republic of Korea", "KR"),
        ("C\u00f4te d'Ivoire", "CI"),
        ("canada", "CA"),
        ("CAN", "CA"),
        ("Germany", "DE"),
        ("United Kingdom", "GB"),
    ],
)
def test_countries_by_name(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("read", "text", "near"),
    [
        (state_code, "Texass", "Did you mean Texas (TX)?"),
        (state_code, "Onatrio", "Did you mean Ontario (ON)?"),
        (country_code, "Unitd States", "Did you mean United States (US)"),
    ],
)
def test_a_misspelt_one_is_named_with_its_near_match(
    read: Callable[[str], str], text: str, near: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(near)):
        read(text)


@pytest.mark.parametrize("text", ["San Francisco, CA", "TX, OK", "x" * 5000, "a," * 3000, "USA"])
def test_a_place_or_two_states_are_no_state(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        state_code(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["ÄÖ", "XX", "Narnia", ""])
def test_no_country(text: str) -> None:
    with pytest.raises(ValueError, match="no country"):
        country_code(text)


def test_values_that_do_not_fit_are_named_and_left_out() -> None:
    lines = [
        line(target="title", source="summary"),
        line(target="pay.base.amount", source="summary"),
        line(target="location.state", source="summary"),
        line(target="manager.id", source="owner"),
        line(target="schedule.service_window.end", source="summary"),
    ]
    mapped = work_order_of(lines, source(owner={"name": "Ada"}))
    assert mapped.body == {"title": "Replace the access point"}
    assert [problem.partition(":")[0] for problem in mapped.problems] == [
        "pay.base.amount",
        "location.state",
        "manager.id",
        "schedule.service_window.end",
    ]
    assert all(problem in mapped.message for problem in mapped.problems)


@pytest.mark.parametrize(
    ("state", "country", "kept"),
    [
        ("ZZ", "US", None),
        ("BY", "Canada", None),
        ("BY", "Germany", "BY"),
        ("ZZ", "", "ZZ"),
        ("AE", "USA", "AE"),
    ],
)
def test_a_state_of_another_country_is_a_problem_of_its_record(
    state: str, country: str, kept: str | None
) -> None:
    lines = [
        line(target="location.state", source="stateIdentifier"),
        line(target="location.country", source="country.name"),
    ]
    mapped = work_order_of(lines, source(stateIdentifier=state, country={"name": country}))
    assert read_path(mapped.body, "location.state") == kept
    assert [each.partition(":")[0] for each in mapped.problems] == ([] if kept else ["location.state"])


@pytest.mark.parametrize(
    ("state", "country", "chosen"),
    [("Ontario", None, "CA"), ("QC", None, "CA"), ("FL", None, "US"), ("", None, "US"), ("ON", "US", "US")],
)
def test_a_province_of_canada_without_a_country_is_in_canada(
    state: str, country: str | None, chosen: str
) -> None:
    place = {"addressLine1": "1 Main St", "city": "X", "stateIdentifier": state, "country": country}
    assert chosen_address(place, {}, {})["country"] == chosen


def test_a_tenant_whose_required_dates_are_days_says_so_by_date_convert() -> None:
    day = line(target=START, action="Date Convert", source="requiredDate", output_format="YYYY-MM-DD")
    record = made(day, requiredDate="2026-12-02T00:00:00Z")
    assert read_path(record, START) == {"local": {"date": "2026-12-02", "time": "08:00:00"}}


def test_states_and_countries() -> None:
    assert [state_code(text) for text in ("Florida", " fl ", "NEW  york", "District of Columbia")] == [
        "FL",
        "FL",
        "NY",
        "DC",
    ]
    assert [country_code(text) for text in ("USA", "United States", "de")] == ["US", "US", "DE"]
    for bad in ("Bavaria", "F1", "", "ÄÖ", "QQ"):
        with pytest.raises(ValueError):
            state_code(bad)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "0202-12-01T08:00:00Z", "1900-01-01T00:00:00Z"])
def test_a_year_in_which_nobody_visits_is_told_and_left_out(text: str) -> None:
    mapped = work_order_of([line(target=START, source="requiredDate")], {"requiredDate": text})
    assert mapped.problems == (f"{START}: {text!r} is no date of a visit.",)
    assert "schedule" not in mapped.body


@given(st.datetimes(min_value=datetime(2000, 1, 2), max_value=datetime(2999, 12, 30)), st.integers(-720, 840))
def test_a_moment_is_the_same_moment_in_whatever_zone_it_is_written(local: datetime, minutes: int) -> None:
    moment = local.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    sent = start_of(requiredDate=moment.isoformat())
    assert datetime.fromisoformat(sent["utc"]).replace(tzinfo=UTC) == moment
