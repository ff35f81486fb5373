"""What is sent again: all that differs, nothing else, and what a record lost stays."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.dispatch.decision import after_sending, changed_sections, half_changed, laid_on_current

TEXTS = st.text("ab ", max_size=3)
PLACES = st.dictionaries(st.sampled_from(["address1", "city", "zip"]), TEXTS)
MOMENTS = st.one_of(
    st.fixed_dictionaries({"utc": st.sampled_from(["2026-12-01 09:00:00", "2026-12-02 09:00:00"])}),
    st.just({"local": {"date": "2026-12-01", "time": "08:00:00"}}),
)
FIELDS = st.dictionaries(st.integers(801, 803), TEXTS).map(
    lambda values: {"results": [{"results": [{"id": key, "value": value} for key, value in values.items()]}]}
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXTS,
        "location": PLACES,
        "schedule": st.fixed_dictionaries({"service_window": st.fixed_dictionaries({"start": MOMENTS})}),
        "types_of_work": st.lists(st.fixed_dictionaries({"id": st.integers(1, 3)}), max_size=2),
        "custom_fields": FIELDS,
    },
)


def values(record: dict[str, Any]) -> dict[str, Any]:
    """Every single value by its path; lists whole, custom fields one by one, empty ones left out."""
    found: dict[str, Any] = {}

    def walk(path: str, value: Any) -> None:
        if path == "custom_fields":
            for group in value["results"]:
                for each in group["results"]:
                    walk(f"{path}.{each['id']}", each["value"])
        elif isinstance(value, dict) and set(value) & {"utc", "local"}:
            found[path] = value
        elif isinstance(value, dict):
            for name, each in value.items():
                walk(f"{path}.{name}" if path else name, each)
        elif value not in (None, [], {}) and not (isinstance(value, str) and not value.strip()):
            found[path] = value

    walk("", record)
    return found


@given(RECORDS, RECORDS)
def test_after_sending_all_that_is_wanted_is_there_and_nothing_is_lost(
    sent: dict[str, Any], wanted: dict[str, Any]
) -> None:
    after = after_sending(sent, changed_sections(sent, wanted))
    assert values(after) == values(sent) | values(wanted)


@given(RECORDS, RECORDS)
def test_the_second_time_nothing_is_sent(sent: dict[str, Any], wanted: dict[str, Any]) -> None:
    after = after_sending(sent, changed_sections(sent, wanted))
    assert changed_sections(after, wanted) == {}


@given(RECORDS, RECORDS)
def test_only_sections_with_a_difference_are_sent(sent: dict[str, Any], wanted: dict[str, Any]) -> None:
    before, asked = values(sent), values(wanted)
    differing = {path.partition(".")[0] for path in asked if before.get(path) != asked[path]}
    assert set(changed_sections(sent, wanted)) == differing


def test_custom_fields_are_sent_one_by_one() -> None:
    def fields(**given: str) -> dict[str, Any]:
        pairs = [{"id": int(name[1:]), "value": value} for name, value in given.items()]
        return {"custom_fields": {"results": [{"results": pairs}]}}

    assert changed_sections(fields(f1="a", f2="b"), fields(f1="a", f2="c")) == fields(f2="c")


def test_a_section_is_laid_over_what_a_person_changed() -> None:
    sent = {"a": "1", "b": {"c": "2", "d": ["x"]}, "e": {"utc": "3"}, "f": "4"}
    wanted = {"a": "new", "b": {"c": "2", "d": ["x"]}, "e": {"utc": "3"}, "f": "4"}
    shown = {"a": "person", "b": {"c": "person", "d": []}, "e": {"utc": "9", "local": {}}, "f": None}
    assert laid_on_current(sent, wanted, shown) == {
        "a": "new",
        "b": {"c": "person", "d": ["x"]},
        "e": {"utc": "9"},
        "f": "4",
    }
    assert half_changed({"s": sent}, {"s": wanted}) == ["s"]
    assert half_changed({"s": {"a": "1"}}, {"s": {"a": "2"}}) == []
