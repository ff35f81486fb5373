"""Identifiers made comparable, and the fillers that stand for nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.mapping.addresses import mac_digits
from tasks.rules.mapping.fillers import Fillers
from tasks.rules.mapping.identifiers import (
    KEYS,
    SERIAL,
    KeyTable,
    is_ip_address,
    normal_mac,
    normal_name,
    normal_serial,
)
from tasks.rules.values import AssetRecord, plain_text

HEX = st.text("0123456789abcdef", min_size=12, max_size=12)


def written(digits: str, style: int) -> str:
    pairs = [digits[at : at + 2] for at in range(0, 12, 2)]
    dotted = ".".join(digits[at : at + 4] for at in (0, 4, 8))
    return [":".join(pairs), "-".join(pairs).upper(), dotted, digits.upper(), f" {' '.join(pairs)}\u200b"][
        style
    ]


@given(HEX, st.integers(0, 4), st.integers(0, 4))
def test_a_mac_address_is_its_twelve_digits_in_any_writing(digits: str, one: int, other: int) -> None:
    assert mac_digits(written(digits, one)) == mac_digits(written(digits, other)) == digits


@pytest.mark.parametrize(
    "value",
    [
        "3c:52:82:11:22:33 (Wi-Fi)",
        "3c\u201352\u201382\u201311\u201322\u201333",
        "3c_52_82_11_22_33",
        "\uff13\uff23:52:82:11:22:33",
        "{3C-52-82-11-22-33}",
        "0x3c5282112233",
        "MAC 3c52.8211.2233, LAN",
        "eth0=3c:52:82:11:22:33 eth1=3C-52-82-11-22-33",
    ],
)
def test_an_address_is_seen_in_other_text(value: str) -> None:
    assert mac_digits(value) == normal_mac(value) == "3c5282112233"


def test_a_zero_that_is_left_out_counts() -> None:
    assert mac_digits("3c:52:82:1:2:33") == "3c5282010233"


@pytest.mark.parametrize(
    "value",
    [
        "3c:52:82:11:22:33; 3c:52:82:11:22:34",
        "3c:52:82:ff:fe:11:22:33",
        "00-00-00-00-00-00-00-E0",
        "2001:db8:1:2:3:4:5:6",
        "3c:52:82:11:22",
        "3c5282112233x",
        "x" * 200 + " 3c:52:82:11:22:33",
        "12.34.56.78",
    ],
)
def test_two_addresses_or_another_kind_are_none(value: str) -> None:
    assert mac_digits(value) is None


@pytest.mark.parametrize(
    "value",
    ["00:00:00:00:00:00", "FF-FF-FF-FF-FF-FF", "01:00:5e:00:00:01", "20:41:53:59:4e:ff", "n/a", "", None, 7],
)  # fmt: skip
def test_addresses_of_no_card_are_absent(value: object) -> None:
    assert normal_mac(value) is None


@pytest.mark.parametrize(
    "value",
    ["To be filled by O.E.M.", " default string ", "None", "0", "0000000", "xxxx", "", None, "N/A", "\u200b",
     True, "System Serial Number", "123456789", "-", "........"],
)  # fmt: skip
def test_filler_serials_are_absent(value: object) -> None:
    assert normal_serial(value) is None


@pytest.mark.parametrize(
    ("value", "serial"), [(" 5CG1234XYZ ", "5CG1234XYZ"), (4711, "4711"), ("00d0c39f", "00d0c39f")]
)
def test_real_serials_stay(value: object, serial: str) -> None:
    assert normal_serial(value) == serial


def test_case_counts_only_if_asked() -> None:
    assert (
        normal_serial("AbC9", case_sensitive=False) == normal_serial("aBc9", case_sensitive=False) == "abc9"
    )
    assert normal_name("Straße", case_sensitive=False) == normal_name("STRASSE", case_sensitive=False)
    assert normal_name("PC") != normal_name("pc")


def test_invisible_marks_and_composition_do_not_count() -> None:
    assert plain_text("\ufeffBüro\u200b ") == plain_text("Bu\u0308ro") == "Büro"


@given(st.text())
def test_plain_text_is_settled_after_once(text: str) -> None:
    once = plain_text(text)
    assert once is None or plain_text(once) == once


@given(st.text() | st.integers() | st.none() | st.floats() | st.booleans() | st.lists(st.text()))
def test_any_value_has_a_normal_form_or_none(value: object) -> None:
    for form in (normal_serial(value), normal_mac(value), normal_name(value), normal_name(value, False)):
        assert form is None or form


@pytest.mark.parametrize(
    ("text", "is_address"),
    [
        ("10.0.0.7", True),
        ("fe80::1", True),
        ("166.246.143.187/1/7", False),
        ("PC-10.0.0.7", False),
        ("cafe", False),
    ],
)
def test_a_name_that_is_only_an_address(text: str, is_address: bool) -> None:
    assert is_ip_address(text) is is_address


TEXTS = st.sampled_from([None, "", "SN 4711", "sn 4711", "7X4QK92", "N/A", "localhost", "3c:52:82:11:22:33"])


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS)), st.lists(st.tuples(TEXTS, TEXTS, TEXTS)), st.booleans())
def test_keys_are_the_same_whether_the_other_side_had_them_before_or_not(
    mine: list[Any], theirs: list[Any], case_sensitive: bool
) -> None:
    assets, configurations = [_identified(*each) for each in mine], [_identified(*each) for each in theirs]
    alone = KeyTable(configurations, case_sensitive)
    beside = KeyTable(configurations, case_sensitive, other=KeyTable(assets, case_sensitive))
    assert beside.values == alone.values
    assert beside.unreadable == alone.unreadable == {}


def test_a_text_of_the_other_side_is_brought_into_form_once() -> None:
    fillers = _Noting()
    assets = KeyTable([_identified("7X4QK92", None, "WKS-1")], True, fillers)
    KeyTable([_identified("7X4QK92", None, "WKS-1"), _identified(4711, None, ["x"])], True, fillers, assets)
    assert fillers.asked == ["7X4QK92", "4711"]


def test_what_can_not_be_read_on_one_side_is_not_taken_as_known_on_the_other() -> None:
    assets = KeyTable([_identified("broken", None, None)], True, _Failing())
    configurations = KeyTable([_identified("broken", None, None)], True, _Failing(), assets)
    assert assets.unreadable.keys() == configurations.unreadable.keys() == {0}
    assert [table.values[SERIAL] for table in (assets, configurations)] == [[None], [None]]
    assert len(configurations.values) == len(KEYS)


class _Noting(Fillers):
    """Keeps the serial numbers that it is asked about."""

    @cached_property
    def asked(self) -> list[str]:
        return []

    def is_plain_serial(self, text: str) -> bool:
        self.asked.append(text)
        return super().is_plain_serial(text)


class _Failing(Fillers):
    def is_plain_serial(self, text: str) -> bool:
        raise ArithmeticError(text)


def _identified(serial: Any, mac: Any, name: Any) -> AssetRecord:
    return AssetRecord("key", name, serial, mac, ())
