"""Every path that a mapping may write has the type, format and length of the vendor's OpenAPI description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.rules.mapping.targets import TARGETS, MappingTarget, ValueKind

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared/reference/connectwise-psa-openapi.json"
KINDS = {
    ("string", "date-time"): ValueKind.DATE_TIME,
    ("integer", "int32"): ValueKind.NUMBER,
    ("number", "double"): ValueKind.NUMBER,
    ("boolean", None): ValueKind.BOOLEAN,
    ("string", "uuid"): ValueKind.TEXT,
}


@pytest.fixture(scope="module")
def members() -> dict[str, Any]:
    if not DESCRIPTION.exists():
        pytest.skip("the vendor's description is not on this machine")
    described = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["components"]["schemas"]
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
