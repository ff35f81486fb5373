"""Values of custom fields that a reading lost: told by the ledger's tally and by ConnectWise's count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.custom_values import (
    CustomValues,
    hidden_values,
    is_partial,
    shows_less,
    value_findings,
)
from tasks.rules.asset_sync.reading import AcceptOnce
from tasks.rules.guards import ShrinkLimit
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import FieldMapping

AT = datetime(2026, 11, 28, tzinfo=UTC)
RACK, LINK, OWNER = 4, 5, 9
MAPPING = compile_mapping(
    [FieldMapping(source="name", target="name"), FieldMapping(source="serial", target="serialNumber")],
    custom_field_ids={"ls_asset_id": LINK},
)


def record(number: int, rack: Any = None, owner: Any = None, **members: Any) -> dict[str, Any]:
    fields = [
        {"id": RACK, "caption": "Rack position", "value": rack},
        {"id": OWNER, "caption": "Owner", "value": owner},
        {"id": LINK, "caption": "ls_asset_id"},
    ]
    return {"id": number, "name": f"n{number}", "customFields": fields, **members}


def tally(records: list[dict[str, Any]]) -> CustomValues:
    values = CustomValues()
    for each in records:
        values.note(each)
    return values


def findings(values: CustomValues, accept: int | None = None, **options: Any) -> list[str]:
    known = {
        ("configurations", ""): KnownAmount(40, AT),
        ("custom_values 4", ""): KnownAmount(30, AT),
        ("custom_values 9", ""): KnownAmount(40, AT),
        ("custom_values 5", ""): KnownAmount(40, AT),
    }
    arguments = {"defined": None, **options}
    limit = ShrinkLimit()
    accepted = AcceptOnce(custom_values=accept)
    told = value_findings(values, known, {LINK}, accept=accepted, limit=limit, **arguments)
    return [each.text for each in told if each.refuses]


def test_one_field_that_lost_its_values_among_others_is_told() -> None:
    values = tally([record(n, None, "Ann") for n in range(40)])
    (text,) = findings(values)
    assert "Values of the custom field 'Rack position': 30 known from the last reading on 2026-11-28" in text
    assert "0 read now, 100% fewer" in text
    assert "set Accept once to custom_values = 40 for one run" in text
    assert findings(values, accept=40) == []
    assert len(findings(values, accept=41)) == 1
    assert findings(values, defined={LINK, OWNER}) == [], "a field that was deleted has nothing to lose"


def test_no_custom_fields_at_all_tell_of_every_field() -> None:
    values = tally([{"id": n} for n in range(40)])
    assert [text.partition(":")[0] for text in findings(values)] == [
        "Values of the custom field 'id 4'",
        "Values of the custom field 'id 9'",
    ]


def test_half_a_company_has_half_of_the_values() -> None:
    assert findings(tally([record(n, "R1", "Ann") for n in range(20)])) == []
    assert findings(tally([])) == []


def test_what_is_kept_leaves_out_mapped_fields_and_keeps_a_zero_for_one_that_is_known() -> None:
    values = tally([record(1, "R1"), record(1, "R1"), record(2)])
    known = [("custom_values 9", ""), ("configurations", ""), ("custom_values x", "")]
    assert values.amounts({LINK}, known) == {"custom_values 4": 1, "custom_values 9": 0}
    assert (values.total, values.with_values) == (1, 1)
    assert (values.is_bare(1), values.is_bare(2), values.is_bare(3)) == (False, True, False)


def test_a_count_needs_no_ledger() -> None:
    values = tally([record(1), record(2, "R1")])
    assert hidden_values(values, 1, AcceptOnce(), ShrinkLimit()) is None
    found = hidden_values(values, 2, AcceptOnce(), ShrinkLimit())
    assert found is not None
    assert found.refuses
    assert "1 read, but the vendor counts 2" in found.text
    accepted = hidden_values(values, 2, AcceptOnce(custom_values=1), ShrinkLimit())
    assert accepted is not None
    assert not accepted.refuses


def test_a_record_read_again_with_less_is_not_written_whole() -> None:
    planned = MAPPING.read_configuration(record(1, "R1", serialNumber="S1"))
    as_planned = record(1, "R1", serialNumber="S1")
    assert not shows_less(1, planned, as_planned, MAPPING)
    assert not shows_less(1, planned, record(1, "R2", "Ann", serialNumber="S2"), MAPPING)
    assert shows_less(1, planned, record(1, serialNumber="S1"), MAPPING), "the value of another field"
    assert shows_less(None, planned, record(1, "R1"), MAPPING), "a mapped member"
    assert shows_less(1, planned, {"id": 1, "name": "n1", "serialNumber": "S1"}, MAPPING)


def test_an_answer_with_the_members_of_the_plans_reading_is_a_part_of_a_record() -> None:
    read = record(1, "R1", serialNumber="S1")
    assert is_partial(read, MAPPING)
    assert is_partial(read | {"company": {"id": 7}}, MAPPING)
    assert not is_partial(read | {"_info": {"lastUpdated": "2026-01-01T00:00:00Z"}}, MAPPING)


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from([None, "", 0, False, "R1"]))))
def test_the_tally_is_that_of_distinct_records(drawn: list[tuple[int, Any]]) -> None:
    values = tally([record(number, rack) for number, rack in drawn])
    first = dict(reversed(drawn))
    assert values.total == sum(rack is not None for rack in first.values()) == values.with_values
