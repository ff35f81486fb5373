"""What a check of the connections found: the rows of its table, and whether anything needed is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tasks.rules.markdown import wrapped

CONNECTION_WIDTH, CHECK_WIDTH, DETAILS_WIDTH = 22, 22, 38
"""Characters of a line of each column."""


class Result(StrEnum):
    """Only ``Missing`` and ``Failed`` end the run as failed."""

    OK = "OK"
    NOTE = "Note"
    MISSING = "Missing"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: which connection, what was looked at, what came out, in words fit to be shown."""

    connection: str
    check: str
    result: Result
    details: str

    @property
    def bad(self) -> bool:
        return self.result in (Result.MISSING, Result.FAILED)


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """The rows of the table artifact, in lines so short that a window of 1280 pixels shows all of them."""
    return [
        {
            "Connection": wrapped(each.connection, CONNECTION_WIDTH),
            "Check": wrapped(each.check, CHECK_WIDTH),
            "Result": each.result.value,
            "Details": wrapped(each.details, DETAILS_WIDTH),
        }
        for each in findings
    ]


def summary(findings: Sequence[Finding]) -> str:
    """What is wrong, in one text; empty if nothing is."""
    return "; ".join(f"{each.connection}, {each.check}: {each.details}" for each in findings if each.bad)


def version_details(version: str, last_seen: str | None) -> str:
    """The version, and how it stands to the one that the last check saw."""
    if not version:
        return "The server does not tell its version."
    if not last_seen:
        return f"{version}, seen for the first time."
    if version == last_seen:
        return f"{version}, as at the last check."
    newer = _numbers(version) > _numbers(last_seen)
    return f"{version}, {'newer than' if newer else 'another than'} {last_seen} at the last check."


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]
