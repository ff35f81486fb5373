"""What the types of custom fields need and take."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.lansweeper_input import FieldType, checked_props
from tasks.rules.limits import LimitError


@pytest.mark.parametrize(
    ("kind", "props"),
    [
        ("SELECT", {"options": ["Gold", "Silver"]}),
        ("NUMERIC", {"minNumericValue": 0, "maxNumericValue": 0}),
        ("NUMERIC", {"maxNumericValue": -1}),
        ("CURRENCY", {"currencyType": "GPB"}),
        ("HYPERLINK", {"linkTag": "Open"}),
    ],
)
def test_what_a_type_takes_is_sent_as_it_is(kind: FieldType, props: dict[str, Any]) -> None:
    assert checked_props(kind, props) == props


@pytest.mark.parametrize("kind", ["INPUT", "TEXTAREA", "DATE", "TIME", "NUMERIC", "HYPERLINK", "CURRENCY"])
def test_most_types_need_nothing(kind: FieldType) -> None:
    assert checked_props(kind, None) is None
    assert checked_props(kind, {}) is None


@pytest.mark.parametrize(
    ("kind", "props", "words"),
    [
        ("TEXTAREA", {"options": ["a"]}, "a TEXTAREA custom field has no options. It takes none"),
        ("NUMERIC", {"linkTag": "a"}, "It takes minNumericValue and maxNumericValue"),
        ("SELECT", None, "needs options"),
        ("SELECT", {"options": []}, "needs options"),
        ("SELECT", {"options": ["a", " "]}, "needs options"),
        ("SELECT", {"options": "ab"}, "needs options"),
        ("SELECT", {"options": ["a", "a"]}, "stands there twice"),
        ("NUMERIC", {"minNumericValue": "1"}, "minNumericValue is '1'. Give a whole number"),
        ("NUMERIC", {"maxNumericValue": True}, "maxNumericValue is True"),
        ("NUMERIC", {"minNumericValue": 2, "maxNumericValue": 1}, "2 is above maxNumericValue 1"),
    ],
)
def test_what_a_type_does_not_take_is_one_clear_error(
    kind: FieldType, props: dict[str, Any] | None, words: str
) -> None:
    with pytest.raises(LimitError, match=words):
        checked_props(kind, props)
