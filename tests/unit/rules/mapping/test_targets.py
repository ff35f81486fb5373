"""A mapped value as ConnectWise takes it, or why it can't be written."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.limits import LimitError
from tasks.rules.mapping.comparison import comparable
from tasks.rules.mapping.targets import (
    TARGETS,
    MappingTarget,
    custom_field_target,
    wire_reference,
    wire_value,
)
from tasks.rules.values import folded

CUSTOM = custom_field_target("ls_software")
GUID = "0F5AC0BE-93e3-3a9d-8fcb-02904d4f42d8"


@pytest.mark.parametrize(
    ("target", "value", "sent"),
    [
        (TARGETS["purchaseDate"], "2025-10-11T09:35:18.999+02:00", "2025-10-11T07:35:18Z"),
        (TARGETS["purchaseDate"], "2025-10-11", "2025-10-11T00:00:00Z"),
        (TARGETS["purchaseDate"], "0099-01-01", "0099-01-01T00:00:00Z"),
        (TARGETS["backupYear"], "2025", 2025),
        (TARGETS["backupBillableSpaceGb"], 1.5, 1.5),
        (TARGETS["backupSuccesses"], "2024.0", 2024),
        (TARGETS["backupSuccesses"], -(2**31), -(2**31)),
        (TARGETS["backupSuccesses"], 2**31 - 1, 2**31 - 1),
        (
            TARGETS["mobileGuid"],
            " 0F5AC0BE-93e3-3a9d-8fcb-02904d4f42d8",
            "0F5AC0BE-93e3-3a9d-8fcb-02904d4f42d8",
        ),
        (TARGETS["billFlag"], "Yes", True),
        (TARGETS["billFlag"], False, False),
        (TARGETS["ram"], 16, "16"),
        (CUSTOM, 12, 12),
        (CUSTOM, "a\nb", "a\nb"),
    ],
)
def test_values_travel_in_the_vendors_form(target: MappingTarget, value: Any, sent: Any) -> None:
    assert wire_value(target, value) == sent
    assert type(wire_value(target, value)) is type(sent)


@pytest.mark.parametrize(
    ("target", "value", "why"),
    [
        (TARGETS["purchaseDate"], "soon", "takes a date, not 'soon'"),
        (TARGETS["purchaseDate"], "0001-01-01T00:00:00+09:00", "takes a date"),
        (TARGETS["purchaseDate"], "0001-W01-1", "takes a date"),
        (TARGETS["purchaseDate"], "00010101T000000Z", "takes a date"),
        (TARGETS["backupYear"], "nan", "takes a number"),
        (TARGETS["backupYear"], "many", "takes a number, not 'many'"),
        (TARGETS["backupSuccesses"], 2024.5, "backupSuccesses takes a whole number, not '2024.5'"),
        (TARGETS["backupSuccesses"], "0.1", "takes a whole number"),
        (TARGETS["companyLocationId"], 2**31, "at most 32 bits, not '2147483648'"),
        (TARGETS["backupMonth"], "-2147483649", "at most 32 bits"),
        (TARGETS["backupFailed"], 10**400, "takes a number"),
        (TARGETS["backupFailed"], True, "takes a number, not 'True'"),
        (TARGETS["backupBillableSpaceGb"], "1e400", "takes a number"),
        (TARGETS["mobileGuid"], "none", "takes a GUID, not 'none'"),
        (CUSTOM, float("inf"), "takes a number that is finite"),
        (TARGETS["billFlag"], "maybe", "takes true or false"),
        (TARGETS["ram"], "x" * 26, "26 characters, ConnectWise allows 25"),
        (TARGETS["notes"], ["a"], "takes one value"),
        (CUSTOM, {"a": 1}, "takes one value"),
    ],
)
def test_what_can_not_be_written_says_why(target: MappingTarget, value: Any, why: str) -> None:
    with pytest.raises(LimitError, match=why):
        wire_value(target, value)


@given(st.sampled_from(sorted(TARGETS)), st.none() | st.text(max_size=8) | st.floats() | st.booleans())
def test_any_value_is_written_or_refused_in_words(path: str, value: Any) -> None:
    sent: Any = None
    with contextlib.suppress(LimitError):
        sent = wire_value(TARGETS[path], value)
    assert sent is None or isinstance(sent, str | int | float | bool)


@given(st.text(alphabet="aBcÉü 1", min_size=1, max_size=8))
def test_a_reference_is_found_in_any_case(name: str) -> None:
    found = wire_reference(TARGETS["type.name"], f" {name.swapcase()} ", {"type.name": {folded(name): 4}})
    assert found == {"id": 4}


def test_an_unknown_reference_is_refused() -> None:
    with pytest.raises(LimitError, match="type 'x' has no record in ConnectWise"):
        wire_reference(TARGETS["type.name"], "x", {})


def test_two_readings_of_one_value_compare_alike() -> None:
    assert comparable({"id": 1, "name": "a"}) == comparable({"id": 1, "name": "b", "_info": {}})
    assert comparable(" ") is comparable(0) is comparable(False) is comparable([]) is None
    assert comparable({"a": 1, "_info": 2}) == {"a": 1}
