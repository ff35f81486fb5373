"""The eleven texts of an asset from the wire records that ConnectWise holds, by a hand of its own.

Written from the connector page and the vendor's records, and not with the flow's rules: what both have in
common can't be wrong in both by one mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

TOTALS = ("cw_total_tickets", "cw_open_tickets", "cw_closed_tickets")
_AGREEMENTS = ("id", "name", "type", "status", "start_date", "end_date")
FIELDS = (
    *TOTALS,
    "cw_configuration_url",
    *(f"cw_agreement_{part}" for part in _AGREEMENTS),
    "cw_sla",
)
"""The documented custom fields of Lansweeper."""
TYPES = {
    name: "NUMERIC" if name in TOTALS else "HYPERLINK" if name.endswith("_url") else "TEXTAREA"
    for name in FIELDS
}
MOST_AGREEMENTS, MOST_CHARACTERS = 50, 4000
"""The flow's usual limits of one text."""


def texts_of(
    configuration: Record,
    agreements: Iterable[Record],
    tickets: Iterable[Record],
    url: str,
    limits: Mapping[str, int] | None = None,
) -> dict[str, str]:
    """The texts by field name; empty where the field has to be empty. Records are as the vendor shows them.

    ``limits`` are ``agreements`` and ``characters`` of one text, as the flow's settings name them.
    """
    ordered = in_order(agreements)
    closed = [bool(each.get("closedFlag")) for each in tickets]
    sla: Record = next((each["sla"] for each in (configuration, *ordered) if each.get("sla")), {})
    totals = (len(closed), closed.count(False), closed.count(True))
    return {
        **{name: str(number) for name, number in zip(TOTALS, totals, strict=True)},
        "cw_configuration_url": url,
        **_agreement_texts(ordered, limits or {}),
        "cw_sla": _clean(sla.get("name")),
    }


def in_order(agreements: Iterable[Record]) -> list[Record]:
    """Active ones first, then the newest start, then the lowest id."""
    by_id = sorted(agreements, key=lambda each: int(each["id"]))
    by_start = sorted(by_id, key=lambda each: str(each.get("startDate") or "")[:10], reverse=True)
    return sorted(by_start, key=lambda each: each.get("agreementStatus") != "Active")


def configuration_address(site: str, company: str, number: int) -> str:
    """Where ConnectWise shows the configuration; ``site`` as the account names it."""
    scheme, _, host = site.rpartition("://")
    return (
        f"{scheme or 'https'}://{host.removeprefix('api-')}/v4_6_release/services/system_io/router/"
        f"openrecord.rails?locale=en_US&recordType=ConfigFv&recid={number}&companyName={company}"
    )


def _agreement_texts(ordered: Sequence[Record], limits: Mapping[str, int]) -> dict[str, str]:
    most = min(len(ordered), limits.get("agreements", MOST_AGREEMENTS))
    longest = limits.get("characters", MOST_CHARACTERS)
    rows = [_row(each) for each in ordered]
    columns = {f"cw_agreement_{part}": [row[part] for row in rows] for part in _AGREEMENTS}
    while True:
        texts = {name: _text(column, most) for name, column in columns.items()}
        if most == 0 or all(len(text) <= longest for text in texts.values()):
            return texts
        most -= 1


def _row(agreement: Record) -> dict[str, str]:
    unending = bool(agreement.get("noEndingDateFlag"))
    return {
        "id": str(agreement["id"]),
        "name": _clean(agreement.get("name")),
        "type": _clean((agreement.get("type") or {}).get("name")),
        "status": _clean(agreement.get("agreementStatus")),
        "start_date": _day(agreement.get("startDate")),
        "end_date": "" if unending else _day(agreement.get("endDate")),
    }


def _text(column: Sequence[str], most: int) -> str:
    """The first entries, and how many more there are; a column without any entry is empty."""
    if not any(column):
        return ""
    left = len(column) - most
    return "; ".join([*column[:most], *([f"... and {left} more"] if left else [])])


def _clean(text: str | None) -> str:
    """Blanks in a row are one; a semicolon would look like the next agreement."""
    return " ".join((text or "").replace(";", ",").split())


def _day(moment: str | None) -> str:
    return f"{moment[8:10]}/{moment[5:7]}/{moment[:4]}" if moment else ""
