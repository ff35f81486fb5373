"""What a check of the connections found, as table rows, and the state of the four ``ls_`` custom fields.

A missing custom field comes with the record that creates it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from tasks.rules.mapping.compile import CustomFieldError, resolve_custom_fields
from tasks.rules.mapping.model import LINK_CAPTION
from tasks.rules.text import counted, wrapped
from tasks.rules.values import folded

CONNECTION_WIDTH, CHECK_WIDTH, DETAILS_WIDTH = 22, 22, 38
"""Characters of a line of each column."""

LINK_FIELD_TYPES = {
    LINK_CAPTION: "Text",
    "ls_asset_url": "Text",
    "ls_software": "TextArea",
    "ls_asset_location": "Text",
}
"""Captions and types as in the page's sample records; the software list needs several lines."""
LAST_SEQUENCE = 500


class FindingResult(StrEnum):
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
    result: FindingResult
    details: str

    @property
    def bad(self) -> bool:
        return self.result in (FindingResult.MISSING, FindingResult.FAILED)


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


@dataclass(frozen=True, slots=True)
class FieldState:
    """Whether a field is there: its ``id``, or what is wrong with it; ``missing`` ones can be created."""

    caption: str
    id: int | None = None
    problem: str = ""
    missing: bool = False

    @property
    def needed(self) -> bool:
        """Without the link no run can start; the other fields are left out where they are missing."""
        return self.caption == LINK_CAPTION


def field_states(defined: Sequence[Mapping[str, Any]]) -> list[FieldState]:
    """The state of each of the four fields among those that ConnectWise has."""
    return [_state(caption, defined) for caption in LINK_FIELD_TYPES]


def _state(caption: str, defined: Sequence[Mapping[str, Any]]) -> FieldState:
    named = [each for each in defined if folded(str(each.get("caption") or "")) == folded(caption)]
    try:
        found = resolve_custom_fields([caption], {}, defined)
    except CustomFieldError as error:
        return FieldState(caption, problem=str(error), missing=not named)
    if caption in found.ids:
        return FieldState(caption, found.ids[caption])
    return FieldState(caption, problem="It is not there; what it would hold is left out.", missing=not named)


def pod_problem(pod_id: int | None, defined: Sequence[Mapping[str, Any]]) -> str | None:
    """What is wrong with a typed pod id: fields of another screen lie on that pod; None: nothing is known."""
    pods = {
        each.get("podId"): str(each.get("podDescription") or each.get("screenDescription") or "")
        for each in defined
    }
    if pod_id is None or not pods.get(pod_id) or "config" in pods[pod_id].lower():
        return None
    of_configurations = sorted(
        f"{pod} ({words})" for pod, words in pods.items() if pod and "config" in words.lower()
    )
    near = f" Those of configurations: {', '.join(of_configurations)}." if of_configurations else ""
    return (
        f"Configuration pod id is {pod_id}, which is the pod {pods[pod_id]!r}: a field made there would not "
        f"be on configurations. Nothing was created.{near}"
    )


def new_field(
    caption: str, defined: Sequence[Mapping[str, Any]], pod_id: int | None = None
) -> dict[str, Any] | None:
    """The record that creates the field on the configuration screen, for all locations and departments.

    The numbers of screens differ by installation, so that of another custom field on configurations is
    taken; None if there is no such field and no ``pod_id`` is given.
    """
    screens = ("podDescription", "screenDescription")
    on_configurations = (
        each for each in defined if any("config" in str(each.get(name) or "").lower() for name in screens)
    )
    other = next(on_configurations, {})
    pod = pod_id or other.get("podId")
    if not pod:
        return None
    screen = {"screenId": other["screenId"]} if other.get("screenId") and pod == other.get("podId") else {}
    last = max(
        (int(each.get("sequenceNumber") or 0) for each in defined if each.get("podId") == pod), default=0
    )
    return screen | {
        "podId": pod,
        "caption": caption,
        "sequenceNumber": min(last + 1, LAST_SEQUENCE),
        "fieldTypeIdentifier": LINK_FIELD_TYPES[caption],
        "entryTypeIdentifier": "EntryField",
        "displayOnScreenFlag": True,
        "addAllBusinessUnits": True,
        "addAllLocations": True,
    }


class RequestsOfDay(Protocol):
    """What the ledger counts of one budget in a day."""

    @property
    def requests(self) -> int: ...
    @property
    def waits(self) -> int: ...
    @property
    def waited_seconds(self) -> float: ...
    @property
    def refused(self) -> int: ...
    @property
    def most_in_an_hour(self) -> int: ...


def used_requests(label: str, used: int, limit: int, window: float, share: float) -> Finding:
    """How much of one window is used; a note from the ``share`` on at which runs warn."""
    details = f"{used:,} of {limit:,} requests are used in the last {window:,.0f} seconds."
    near = used >= share * limit
    return Finding(label, "Request budget", FindingResult.NOTE if near else FindingResult.OK, details)


def requests_of_day(label: str, day: RequestsOfDay | None) -> Finding:
    """The last day of one budget; a note if anything waited or was refused for it."""
    if day is None:
        return Finding(label, "Requests of a day", FindingResult.OK, "None in the last 24 hours.")
    details = (
        f"{day.requests:,} in the last 24 hours, at most {day.most_in_an_hour:,} in one of them. "
        f"{counted(day.waits, 'call')} waited for the limit, {day.waited_seconds:,.0f} s in all. "
        f"The vendor refused {day.refused:,} for their number (429)."
    )
    slowed = day.waits or day.refused
    return Finding(label, "Requests of a day", FindingResult.NOTE if slowed else FindingResult.OK, details)


def differing_windows(windows: Mapping[str, tuple[int, int]]) -> list[Finding]:
    """A note where connections of one tenant, by name, have other limits: (requests, seconds)."""
    if len(set(windows.values())) < 2:
        return []
    shown = ", ".join(f"{name}: {limit:,} in {seconds:,} s" for name, (limit, seconds) in windows.items())
    details = (
        f"These connections lead to one tenant and have different limits ({shown}). Give all of them the "
        "same, so that they count as one."
    )
    return [Finding(f"ConnectWise {min(windows)}", "Request window", FindingResult.NOTE, details)]
