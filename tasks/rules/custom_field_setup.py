"""The custom fields that the connector page asks for: which are there, and how a missing one is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.rules.custom_fields import CustomFieldError, resolve_custom_fields
from tasks.rules.field_mappings import LINK_CAPTION

FIELD_TYPES = {
    LINK_CAPTION: "Text",
    "ls_asset_url": "Text",
    "ls_software": "TextArea",
    "ls_asset_location": "Text",
}
"""Captions and types as in the page's sample records; the software list needs several lines."""
LAST_SEQUENCE = 500


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
    return [_state(caption, defined) for caption in FIELD_TYPES]


def _state(caption: str, defined: Sequence[Mapping[str, Any]]) -> FieldState:
    named = [each for each in defined if str(each.get("caption") or "").strip().casefold() == caption]
    try:
        found = resolve_custom_fields([caption], {}, defined)
    except CustomFieldError as error:
        return FieldState(caption, problem=str(error), missing=not named)
    if caption in found.ids:
        return FieldState(caption, found.ids[caption])
    return FieldState(caption, problem="It is not there; what it would hold is left out.", missing=not named)


def new_field(
    caption: str, defined: Sequence[Mapping[str, Any]], pod_id: int | None = None
) -> dict[str, Any] | None:
    """The record that creates the field on the configuration screen, for all locations and departments.

    The numbers of screens differ by installation, so that of another custom field on configurations is
    taken; None if there is no such field and no ``pod_id`` is given.
    """
    other = next((each for each in defined if _on_configurations(each)), {})
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
        "fieldTypeIdentifier": FIELD_TYPES[caption],
        "entryTypeIdentifier": "EntryField",
        "displayOnScreenFlag": True,
        "addAllBusinessUnits": True,
        "addAllLocations": True,
    }


def _on_configurations(record: Mapping[str, Any]) -> bool:
    words = f"{record.get('podDescription') or ''} {record.get('screenDescription') or ''}"
    return "config" in words.lower()
