"""The texts of the eleven ``cw_`` custom fields: what ConnectWise knows of a configuration, for its asset.

A configuration, its agreements and its tickets go in, the texts come out; compared with what the asset has,
only what differs is left. Several agreements stand in one text, joined with "; ", in the order of
``answers.agreement_rank``. The nth entry of each of the six agreement fields is the same agreement.

``choose_fields`` finds the site's custom field of each name. Names compare without regard to case and outer
blanks, as Lansweeper merges them. Of several the first listed with the wanted type is taken, else the first.
``named_elsewhere`` finds assets that carry another company's configuration, which may claim them as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.lansweeper.models import CustomField
from tasks.rules.enrichment.answers import in_order
from tasks.rules.mapping.comparison import same
from tasks.rules.mapping.targets import ValueKind
from tasks.rules.values import FieldChange, folded, written_text

TOTAL_TICKETS = "cw_total_tickets"
OPEN_TICKETS = "cw_open_tickets"
CLOSED_TICKETS = "cw_closed_tickets"
CONFIGURATION_URL = "cw_configuration_url"
AGREEMENT_ID = "cw_agreement_id"
AGREEMENT_NAME = "cw_agreement_name"
AGREEMENT_TYPE = "cw_agreement_type"
AGREEMENT_STATUS = "cw_agreement_status"
AGREEMENT_START_DATE = "cw_agreement_start_date"
AGREEMENT_END_DATE = "cw_agreement_end_date"
SLA = "cw_sla"

TOTALS = (TOTAL_TICKETS, OPEN_TICKETS, CLOSED_TICKETS)
AGREEMENT_FIELDS = (
    AGREEMENT_ID,
    AGREEMENT_NAME,
    AGREEMENT_TYPE,
    AGREEMENT_STATUS,
    AGREEMENT_START_DATE,
    AGREEMENT_END_DATE,
)
FIELD_TYPES: Mapping[str, str] = {
    **dict.fromkeys(TOTALS, "NUMERIC"),
    CONFIGURATION_URL: "HYPERLINK",
    **dict.fromkeys((*AGREEMENT_FIELDS, SLA), "TEXTAREA"),
}
"""The custom fields with their types in Lansweeper, in the order in which plans and reports show them.
Several agreements stand in one text, hence the text area."""

SEPARATOR = "; "

Record = Mapping[str, Any]

_RECORD = re.compile(r"[?&]recid=(\d{1,18})(?![^&#])", re.IGNORECASE)


class TextLimits(BaseModel):
    """How long one text may become in a custom field of Lansweeper; what does not fit is counted."""

    model_config = ConfigDict(extra="forbid")

    agreements: int = Field(
        default=50, ge=1, title="Agreements", description='Agreements in one text before "... and n more".'
    )
    characters: int = Field(
        default=4000,
        ge=200,
        title="Characters",
        description='Characters of one text before "... and n more".',
    )


@dataclass(frozen=True, slots=True)
class ConfigurationFacts:
    """A configuration with what belongs to it, as the two list actions answer it.

    ``asset_key`` is its ``ls_asset_id``, None where it has none; ``url`` is its page in ConnectWise; ``sla``
    a reference with ``name``.
    """

    id: int
    name: str
    asset_key: str | None
    url: str = ""
    sla: Record | None = None
    agreements: Sequence[Record] = ()
    tickets: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class AssetState:
    """A Lansweeper asset. ``values`` are the texts of our custom fields by name; absent ones are left out."""

    key: str
    name: str
    url: str
    values: Mapping[str, str]


def wanted_texts(facts: ConfigurationFacts, limits: TextLimits | None = None) -> dict[str, str]:
    """The text of each of the eleven fields; empty text clears a field, totals are never empty."""
    closed = sum(bool(each.get("closedFlag")) for each in facts.tickets)
    total = len(facts.tickets)
    return {
        TOTAL_TICKETS: str(total),
        OPEN_TICKETS: str(total - closed),
        CLOSED_TICKETS: str(closed),
        CONFIGURATION_URL: facts.url,
        **agreement_texts(facts.agreements, limits or TextLimits()),
        SLA: _entry((facts.sla or {}).get("name")),
    }


def agreement_texts(agreements: Iterable[Record], limits: TextLimits) -> dict[str, str]:
    """The six agreement fields; a field in which no agreement has anything is empty."""
    ordered = in_order(agreements)
    columns = {
        AGREEMENT_ID: [_entry(each.get("id")) for each in ordered],
        AGREEMENT_NAME: [_entry(each.get("name")) for each in ordered],
        AGREEMENT_TYPE: [_entry((each.get("type") or {}).get("name")) for each in ordered],
        AGREEMENT_STATUS: [_entry(each.get("agreementStatus")) for each in ordered],
        AGREEMENT_START_DATE: [_entry(each.get("startDate")) for each in ordered],
        AGREEMENT_END_DATE: [_entry(each.get("endDate")) for each in ordered],
    }
    for shown in range(min(len(ordered), limits.agreements), -1, -1):
        texts = {name: _joined(entries, shown) for name, entries in columns.items()}
        if not shown or max(map(len, texts.values())) <= limits.characters:
            break
    return texts


def _joined(entries: Sequence[str], shown: int) -> str:
    if not any(entries):
        return ""
    more = [f"... and {len(entries) - shown} more"] if len(entries) > shown else []
    return SEPARATOR.join([*entries[:shown], *more])


def _entry(value: Any) -> str:
    """One agreement's part of a text. A semicolon of its own would look like the next agreement."""
    return "" if value is None else " ".join((written_text(str(value)) or "").replace(";", ",").split())


def changed_texts(current: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """The fields whose texts differ, in the order of ``wanted``: numbers by value, absent is empty."""
    return tuple(
        FieldChange(name, current.get(name), text)
        for name, text in wanted.items()
        if not same_text(name, current.get(name), text)
    )


def same_text(name: str, one: str | None, other: str | None) -> bool:
    """Whether two texts of that field say the same."""
    return same(ValueKind.NUMBER if name in TOTALS else ValueKind.TEXT, one, other)


@dataclass(slots=True)
class CustomFieldKeys:
    """Where each field is written to.

    ``keys``: name -> key of the site's field. ``missing``: names without one, in the order asked for.
    ``created``: those of ``keys`` that this run made. ``warnings``: odd types, names held twice, refusals.
    ``listed``: the keys of all fields that the site names.
    """

    keys: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    listed: frozenset[str] = frozenset()


def choose_fields(
    existing: Sequence[CustomField], wanted: Mapping[str, str] = FIELD_TYPES
) -> CustomFieldKeys:
    """The field of each wanted name (name -> type) among those of the site, in the order it lists them."""
    by_name: dict[str, list[CustomField]] = {}
    for each in existing:
        # The schema allows fields without key or name; nothing can be written to those.
        if each.get("key") and each.get("name"):
            by_name.setdefault(folded(each["name"]), []).append(each)
    choice = CustomFieldKeys(listed=frozenset(each["key"] for each in existing if each.get("key")))
    for name, kind in wanted.items():
        named = by_name.get(folded(name), [])
        if not named:
            choice.missing.append(name)
            continue
        chosen = next((each for each in named if each.get("type") == kind), named[0])
        choice.keys[name] = chosen["key"]
        choice.warnings += _warnings(name, kind, chosen, len(named))
    return choice


def unlisted_keys(item: Mapping[str, Any], listed: Collection[str]) -> set[str]:
    """Keys of custom fields that an asset has a value in and that the list of the site's fields lacks.

    Deleting a field deletes its values on every asset, so such a list is not whole.
    """
    fields = (item.get("assetCustom") or {}).get("fields") or []
    return {key for each in fields if (key := each.get("fieldKey")) and key not in listed}


def short_fields(unlisted: int, listed: int) -> str:
    """What is said of a list that lacks fields which assets have."""
    return (
        f"Assets have values in {unlisted:,} custom fields that the list of the site's custom fields lacks; "
        f"it names {listed:,}. The list is not whole, and fields that it lacks would be made a second time."
    )


def field_rows(fields: CustomFieldKeys, *, dry_run: bool) -> list[dict[str, str]]:
    """A table of the documented fields: name, type, state and key."""
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


def named_elsewhere(
    assets: Iterable[AssetState], claimed: Collection[str], own: Collection[int]
) -> dict[str, int]:
    """The configuration that an asset's ``cw_configuration_url`` names, by the asset's key.

    Args:
        claimed: keys of the assets that configurations of the run's company claim; others do not matter.
        own: ids of the company's configurations; an asset that names one of these is left out.
    """
    named = {each.key: named_configuration(each) for each in assets if each.key in claimed}
    return {key: number for key, number in named.items() if number is not None and number not in own}


def named_configuration(asset: AssetState) -> int | None:
    """The id in the address that the asset was given last; None if it has none that can be read."""
    found = _RECORD.search(asset.values.get(CONFIGURATION_URL, ""))
    return int(found[1]) if found else None
