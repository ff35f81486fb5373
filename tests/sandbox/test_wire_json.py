"""The sandbox's JSON is the standard library's, whichever of the two ways reads or writes it."""

from __future__ import annotations

import json
import math

import pytest

from sandbox.wire_json import decoded, encoded


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"a": [1, 2.5, null, true, "ü"]}',
        "1234567890123456789012",
        '"1234567890123456789012"',
        '"\\ud800"',
        "1e400",
    ],
)
def test_reads_as_the_standard_library_does(text: str) -> None:
    assert decoded(text) == json.loads(text)
    assert decoded(text.encode()) == json.loads(text)
    assert type(decoded(text)) is type(json.loads(text))


def test_nan_is_read_and_nonsense_is_refused_in_the_usual_words() -> None:
    assert math.isnan(decoded("NaN"))
    with pytest.raises(ValueError, match="Expecting property name"):
        decoded("{nonsense}")


@pytest.mark.parametrize("value", [{"a": ["ü", 1.5, None]}, 2**70, {1: "a key that is a number"}])
def test_writes_what_the_standard_library_writes(value: object) -> None:
    assert encoded(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
