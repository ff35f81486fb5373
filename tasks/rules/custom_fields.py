"""Which ConnectWise custom fields the mapped captions mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.field_mappings import LINK_CAPTION

_SCREEN_MEMBERS = ("podDescription", "screenDescription", "screenId")


class CustomFieldError(LookupError):
    """A custom field that is needed is missing or not to be told apart; the text says the remedy."""


@dataclass(slots=True)
class CustomFields:
    """``ids`` by caption; ``missing`` are mapped captions that ConnectWise does not have."""

    ids: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def resolve_custom_fields(
    captions: Iterable[str], typed_ids: Mapping[str, int], defined: Sequence[Mapping[str, Any]]
) -> CustomFields:
    """Ids by caption: what a person typed wins, the rest is looked up among the defined fields.

    Raises:
        CustomFieldError: the link field ``ls_asset_id`` is missing, or a caption stands for several fields.
    """
    resolved = CustomFields()
    for caption in dict.fromkeys(captions):
        record_id = typed_ids.get(caption) or _look_up(caption, defined)
        if record_id is None:
            resolved.missing.append(caption)
        else:
            resolved.ids[caption] = record_id
    if LINK_CAPTION in resolved.missing:
        raise CustomFieldError(
            f"ConnectWise has no custom field {LINK_CAPTION!r} on configurations, which links them "
            "to their assets. Create it as a text field (System > Setup Tables > Custom Fields, screen "
            "Configuration), or give its id under Custom field ids."
        )
    return resolved


def _look_up(caption: str, defined: Sequence[Mapping[str, Any]]) -> int | None:
    hits = [
        each for each in defined if str(each.get("caption") or "").strip().casefold() == caption.casefold()
    ]
    on_configurations = [each for each in hits if _is_on_configurations(each)]
    candidates = on_configurations or [each for each in hits if not _names_a_screen(each)]
    if len(candidates) > 1:
        ids = ", ".join(str(each["id"]) for each in candidates)
        raise CustomFieldError(
            f"Several custom fields have the caption {caption!r} (ids {ids}). "
            "Give the right id under Custom field ids."
        )
    return int(candidates[0]["id"]) if candidates else None


def _is_on_configurations(record: Mapping[str, Any]) -> bool:
    return any("config" in str(record.get(member) or "").lower() for member in _SCREEN_MEMBERS)


def _names_a_screen(record: Mapping[str, Any]) -> bool:
    return any(record.get(member) for member in _SCREEN_MEMBERS[:2])
