"""Date formats in moment.js words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.dispatch.dates import format_date, format_problems, names_a_day, parse_date, zone_of

AT = datetime(2026, 3, 7, 15, 4, 9, 120_000, UTC)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2060, 1, 1)).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("YYYY-MM-DD HH:mm:ss", "2026-03-07 15:04:09"),
        ("M/D/YY h:mm A", "3/7/26 3:04 PM"),
        ("D MMMM YYYY, hh:mm a", "7 March 2026, 03:04 pm"),
        ("MMM D", "Mar 7"),
        ("X", "1772895849"),
        ("x", "1772895849120"),
        ("YYYY-MM-DD[T]HH:mm:ss.SSSZ", "2026-03-07T15:04:09.120+00:00"),
        ("[at] H", "at 15"),
        ("", "2026-03-07T15:04:09+00:00"),
    ],
)
def test_moments_are_written(pattern: str, text: str) -> None:
    assert format_date(AT, pattern, UTC) == text


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("03/07/2026 03:04:09 pm", "MM/DD/YYYY hh:mm:ss A"),
        ("7-Mar-26 15:04:09", "D-MMM-YY HH:mm:ss"),
        ("2026-03-07T10:04:09-05:00", "YYYY-MM-DD[T]HH:mm:ssZ"),
        ("2026-03-07T15:04:09Z", ""),
        ("1772895849", "X"),
        ("2026.03.07 15:04:09", "YYYY.MM.DD HH:mm:ss"),
    ],
)
def test_moments_are_read(text: str, pattern: str) -> None:
    assert parse_date(text, pattern, UTC) == AT.replace(microsecond=0)


@pytest.mark.parametrize(
    ("hour", "half", "wanted"), [(12, "am", 0), (12, "pm", 12), (1, "pm", 13), (1, "am", 1)]
)
def test_noon_and_midnight(hour: int, half: str, wanted: int) -> None:
    found = parse_date(f"2026-03-07 {hour} {half}", "YYYY-MM-DD h a", UTC)
    assert found is not None
    assert found.hour == wanted


def test_zones_count_where_the_text_names_none() -> None:
    new_york = zone_of("America/New_York")
    read = parse_date("2026-07-01 09:00", "YYYY-MM-DD HH:mm", new_york)
    assert read.astimezone(UTC).hour == 13
    assert parse_date("2026-07-01T09:00:00Z", "", new_york).astimezone(UTC).hour == 9
    assert format_date(read, "HH:mm", ZoneInfo("America/Los_Angeles")) == "06:00"


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("0000-01-01", "YYYY-MM-DD"),
        ("01/01/0001", "MM/DD/YYYY"),
        ("0001-01-01T00:00:00Z", ""),
        ("0000", "YYYY"),
        ("0001 1 1", "YYYY M D"),
    ],
)
def test_a_null_date_is_none(text: str, pattern: str) -> None:
    assert parse_date(text, pattern, UTC) is None


def test_two_digits_are_no_year_zero() -> None:
    found = parse_date("00-03-07", "YY-MM-DD", UTC)
    assert found is not None
    assert found.year == 2000


@pytest.mark.parametrize(("text", "pattern"), [("9" * 30, "X"), ("9" * 30, "x"), ("-9999999999999", "X")])
def test_a_moment_beyond_the_calendar_is_refused_in_words(text: str, pattern: str) -> None:
    with pytest.raises(ValueError):
        parse_date(text, pattern, UTC)


def test_the_ends_of_the_calendar_in_another_zone() -> None:
    with pytest.raises(ValueError, match="beyond the calendar"):
        format_date(datetime(9999, 12, 31, 23, tzinfo=UTC), "", ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize(
    ("local", "moment"),
    [
        ("2026-03-08 02:30", "2026-03-08T07:30:00+00:00"),
        ("2026-11-01 01:30", "2026-11-01T05:30:00+00:00"),
        ("2026-11-01 02:30", "2026-11-01T07:30:00+00:00"),
    ],
)
def test_hours_left_out_and_repeated_by_a_clock_change(local: str, moment: str) -> None:
    read = parse_date(local, "YYYY-MM-DD HH:mm", zone_of("America/New_York"))
    assert read is not None
    assert read.astimezone(UTC).isoformat() == moment


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("7.3.2026", "YYYY-MM-DD"), ("2026-13-01", "YYYY-MM-DD"), ("soon", ""), ("", "YYYY-MM-DD")],
)
def test_text_of_another_shape_is_refused(text: str, pattern: str) -> None:
    with pytest.raises(ValueError):
        parse_date(text, pattern, UTC)


def test_what_is_no_format_is_named() -> None:
    assert format_problems("YYYY-MM-DD HH:mm:ss") == []
    assert format_problems("YYYY Wo") == ["'Wo' is no date token; put plain text in [brackets]"]
    assert format_problems("YYYY MM-MM") == ["the month stands in the format twice"]
    assert "[brackets]" in format_problems("YYYY T HH")[0]


@pytest.mark.parametrize(
    ("pattern", "whole"),
    [("YYYY-MM-DD", True), ("D MMM YY", True), ("X", True), ("HH:mm", False), ("MM/DD", False)],
)
def test_a_format_without_a_day_is_none_for_reading(pattern: str, whole: bool) -> None:
    assert names_a_day(pattern) is whole


@given(
    MOMENTS,
    st.sampled_from(
        [
            "YYYY-MM-DD HH:mm:ss",
            "DD/MM/YY h:m:s A",
            "D MMMM YYYY hh:mm:ss a",
            "X",
            "",
            "MMM DD YYYY[,] HH:mm:ssZ",
        ]
    ),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
)
def test_what_is_written_is_read_again(moment: datetime, pattern: str, zone: str) -> None:
    where = zone_of(zone)
    if zone == "UTC" or "Z" in pattern or pattern in ("", "X"):
        assert parse_date(format_date(moment, pattern, where), pattern, where) == moment


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ValueError, match="no time zone 'Mars/Olympus'"):
        zone_of("Mars/Olympus")


@pytest.mark.parametrize(
    ("text", "pattern"), [("-62135596800", "X"), ("-62135596800000", "x"), ("0001/01/01", "")]
)
def test_the_smallest_moment_of_dot_net_is_none_as_seconds_too(text: str, pattern: str) -> None:
    assert parse_date(text, pattern, UTC) is None


def test_a_zone_that_moves_a_date_into_the_year_1_is_no_date() -> None:
    with pytest.raises(ValueError, match="year 1"):
        format_date(datetime(2, 1, 1, tzinfo=UTC), "YYYY-MM-DD", zone_of("America/Los_Angeles"))


def test_the_name_of_a_zone_is_told_shortened() -> None:
    with pytest.raises(ValueError, match="no time zone") as told:
        zone_of("a" * 10_000)
    assert len(str(told.value)) < 200
