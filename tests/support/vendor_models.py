"""A vendor's OpenAPI file as a strict client reads it: required members, types, enums, formats, no others."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

_WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
FORMATS = FormatChecker(formats=())


@FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(_WIRE_TIME.fullmatch(value) and datetime.fromisoformat(value))


@FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value.lower()


def strict(schema: Any) -> Any:
    """The schema as JSON Schema has it: nullable spelt out, members that it does not name refused."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if len(schema.get("allOf", [])) == 1:
        return strict(schema["allOf"][0])
    found = {key: strict(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") and "type" in schema:
        found["type"] = [schema["type"], "null"]
        if "enum" in schema:
            found["enum"] = [*schema["enum"], None]
    if "properties" in schema:
        found.setdefault("additionalProperties", False)
    return found


class Description:
    """One file; `schemas` are its models, strict: a test lets the known exceptions in there."""

    def __init__(self, path: Path) -> None:
        self.file: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    @cached_property
    def schemas(self) -> dict[str, Any]:
        found: dict[str, Any] = strict(self.file["components"]["schemas"])
        return found

    def faults(self, value: Any, schema: dict[str, Any]) -> list[str]:
        """What a strict client finds wrong with a value."""
        return self.validator(schema)(value)

    def validator(self, schema: dict[str, Any]) -> Any:
        """A function that gives the faults of each value of one schema."""
        document = {**strict(schema), "components": {"schemas": self.schemas}}
        made = Draft202012Validator(document, format_checker=FORMATS)
        return lambda value: [f"{error.json_path}: {error.message}" for error in made.iter_errors(value)]

    def check(self, value: Any, schema: dict[str, Any]) -> None:
        """Hold a value against a schema of the file."""
        faults = self.faults(value, schema)
        assert not faults, faults[:5]

    def check_answer(self, answer: httpx.Response, template: str) -> Any:
        """Hold an answer against what the file declares for this path, method and status; its value."""
        operation = self.file["paths"][template][answer.request.method.lower()]
        declared = operation["responses"][str(answer.status_code)]
        if not declared.get("content"):
            assert answer.content == b""
            return None
        [content] = declared["content"].values()
        self.check(answer.json(), content["schema"])
        return answer.json()
