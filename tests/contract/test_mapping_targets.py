"""Every path that a mapping may write has the type, format and length of the vendor's OpenAPI description."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.rules.mapping.targets import TARGETS, MappingTarget, ValueKind
from tests.support.vendor_files import vendor_file

KINDS = {
    ("string", "date-time"): ValueKind.DATE_TIME,
    ("integer", "int32"): ValueKind.NUMBER,
    ("number", "double"): ValueKind.NUMBER,
    ("boolean", None): ValueKind.BOOLEAN,
    ("string", "uuid"): ValueKind.TEXT,
}


@pytest.fixture(scope="module")
def members() -> dict[str, Any]:
    file = vendor_file("connectwise-psa-openapi.json")
    described = json.loads(file.read_text(encoding="utf-8"))["components"]["schemas"]
    found: dict[str, Any] = described["Company.Configuration"]["properties"]
    return found


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.path)
def test_a_target_is_what_the_vendor_describes(members: dict[str, Any], target: MappingTarget) -> None:
    member = members[target.field]
    if target.kind is ValueKind.REFERENCE:
        assert "$ref" in member
        return
    described = member["type"], member.get("format")
    text = ValueKind.MAC if target.path == "macAddress" else ValueKind.TEXT
    assert target.kind is KINDS.get(described, text)
    assert target.max_length == member.get("maxLength")
    assert target.form == (described[1] if described[1] in {"int32", "double", "uuid"} else "")
