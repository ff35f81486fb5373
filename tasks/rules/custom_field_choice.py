"""Which custom fields of a Lansweeper site take what ConnectWise knows, and which are still missing.

Names compare without regard to case and outer blanks, as Lansweeper merges them. They need not be unique: of
several the first listed with the wanted type is taken, else the first; one more is never made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.lansweeper.models import CustomField
from tasks.rules.references import folded

FIELD_TYPES: Mapping[str, str] = {
    "cw_total_tickets": "NUMERIC",
    "cw_open_tickets": "NUMERIC",
    "cw_closed_tickets": "NUMERIC",
    "cw_configuration_url": "HYPERLINK",
    "cw_agreement_id": "TEXTAREA",
    "cw_agreement_name": "TEXTAREA",
    "cw_agreement_type": "TEXTAREA",
    "cw_agreement_status": "TEXTAREA",
    "cw_agreement_start_date": "TEXTAREA",
    "cw_agreement_end_date": "TEXTAREA",
    "cw_sla": "TEXTAREA",
}
"""The documented fields with their types (design, section 5): several agreements stand in one text."""


@dataclass(slots=True)
class CustomFieldKeys:
    """Where each field is written to.

    ``keys``: name -> key of the site's field. ``missing``: names without one, in the order asked for.
    ``created``: those of ``keys`` that this run made. ``warnings``: odd types, names held twice, refusals.
    """

    keys: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def choose_fields(
    existing: Sequence[CustomField], wanted: Mapping[str, str] = FIELD_TYPES
) -> CustomFieldKeys:
    """The field of each wanted name (name -> type) among those of the site, in the order it lists them."""
    by_name: dict[str, list[CustomField]] = {}
    for each in existing:
        # The schema allows fields without key or name; nothing can be written to those.
        if each.get("key") and each.get("name"):
            by_name.setdefault(folded(each["name"]), []).append(each)
    choice = CustomFieldKeys()
    for name, kind in wanted.items():
        named = by_name.get(folded(name), [])
        if not named:
            choice.missing.append(name)
            continue
        chosen = next((each for each in named if each.get("type") == kind), named[0])
        choice.keys[name] = chosen["key"]
        choice.warnings += _warnings(name, kind, chosen, len(named))
    return choice


def field_rows(fields: CustomFieldKeys, *, dry_run: bool) -> list[dict[str, str]]:
    """A table of the documented fields: name, type, what became of each, and its key."""
    return [
        {"name": name, "type": kind, "state": _state(name, fields, dry_run), "key": fields.keys.get(name, "")}
        for name, kind in FIELD_TYPES.items()
    ]


def _state(name: str, fields: CustomFieldKeys, dry_run: bool) -> str:
    if name in fields.missing:
        return "would be made" if dry_run else "missing"
    return "made" if name in fields.created else "there"


def _warnings(name: str, kind: str, chosen: CustomField, number: int) -> list[str]:
    found = []
    if number > 1:
        found.append(
            f"Lansweeper has {number} custom fields named {name}: the one with the key {chosen['key']} is "
            "used. Delete the others if nobody needs them."
        )
    if chosen.get("type") != kind:
        found.append(
            f"The custom field {name} has the type {chosen.get('type')} in Lansweeper, not {kind}; it is "
            "used as it is, since a type can't be changed."
        )
    return found
