"""Every record that is held back, over all features, as a table: what, why, how to try again, since when."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.artifacts import acreate_table_artifact

from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.models import HeldRecord
from tasks.rules.connection_findings import Finding, FindingResult
from tasks.rules.isolation import bounded, convert_all_or, problem_words
from tasks.rules.text import cell, counted, linked, wrapped
from tasks.shared.connections import connectwise_sites, open_ledger

HELD_KEY = "held-records"
MOST_SHOWN = 200
"""Rows of the table: beyond it the number is said."""
MOST_WORDS = 300
RECORD_WIDTH, WHY_WIDTH, AGAIN_WIDTH = 26, 34, 28
"""Characters a line: the first three columns stand on the page of a small laptop without scrolling."""
_AGAIN = {
    "dispatch": "change the record or the rules; the next sweep tries it",
    "reference-data": "create it by hand, or run asset-synchronization with Try refused records again",
}
_AGAIN_ELSE = "change the record or the settings, or run {} with Try refused records again"


async def publish_held(connectwise: Sequence[str]) -> Finding:
    """Show every held record in an artifact, with links to configurations; the finding says how many."""
    sites = await connectwise_sites(connectwise)
    async with open_ledger() as ledger:
        held = await ledger.quarantine.every()
    rows = convert_all_or(
        held[:MOST_SHOWN], lambda each: held_row(*each[1:], sites.get(each[0])), _unshown_row
    )
    text = f"{counted(len(held), 'record')} held back" + (
        f", the first {MOST_SHOWN} shown." if len(held) > MOST_SHOWN else "."
    )
    await acreate_table_artifact(table=rows, key=HELD_KEY, description=text)
    if not held:
        return Finding("Ledger", "Held records", FindingResult.OK, "No record is held back.")
    details = f"{text} Each was refused by a vendor; the artifact {HELD_KEY} says why and how to go on."
    return Finding("Ledger", "Held records", FindingResult.NOTE, details)


def _unshown_row(held: tuple[str, str, int, HeldRecord], error: Exception) -> dict[str, str]:
    words = bounded(problem_words(error), MOST_WORDS)
    return {"Why": wrapped(f"This row can't be shown: {words}", WHY_WIDTH), "Held by": cell(held[1])}


def held_row(
    feature: str, company: int, held: HeldRecord, site: ConnectWiseSettings | None
) -> dict[str, str]:
    """One line of the table."""
    shown = (
        site.configuration_url(held.record_id)
        if site is not None and held.record_id and feature == "asset-synchronization"
        else None
    )
    return {
        "Record": linked(held.name or held.key, shown, RECORD_WIDTH),
        "Why": wrapped(bounded(held.reason, MOST_WORDS), WHY_WIDTH),
        "Try again": wrapped(_AGAIN.get(feature, _AGAIN_ELSE.format(feature)), AGAIN_WIDTH),
        "Since": f"{held.since:%Y-%m-%d %H:%M} UTC" if held.since else "",
        "Refused": counted(held.attempts, "time"),
        "Held by": f"{feature}, {held.step}",
        "Company": str(company or ""),
        "Key": cell(held.key),
    }
