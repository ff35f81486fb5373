"""Every record that is held back, over all features, as a table: since when, why, how to try it again."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.artifacts import acreate_table_artifact

from connectors.connectwise.block import ConnectWiseConnection
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.errors import ConnectorError
from connectors.ledger.models import HeldRecord
from tasks.rules.isolation import convert_all_or, problem_words
from tasks.rules.text import cell, counted, linked
from tasks.shared.connections import load_block, open_ledger

HELD_KEY = "held-records"
MOST_SHOWN = 200
"""Rows of the table: beyond it the number is said."""
_AGAIN = {
    "dispatch": "change the record or the rules; the next sweep tries it",
    "reference-data": "create it by hand, or run asset-synchronization with Try refused records again",
}
_AGAIN_ELSE = "change the record or the settings, or run {} with Try refused records again"


async def publish_held(connectwise: Sequence[str]) -> int:
    """Show every held record in an artifact, with links to configurations; how many there are."""
    sites: dict[str, ConnectWiseSettings] = {}
    for name in connectwise:
        try:
            settings = (await load_block(ConnectWiseConnection, name)).settings()
            sites[settings.tenant_key] = settings
        except ConnectorError:
            # A block that can't be read has a finding of its own; here it only costs the links.
            continue
    async with open_ledger() as ledger:
        held = await ledger.quarantine.every()
    rows = convert_all_or(
        held[:MOST_SHOWN], lambda each: held_row(*each[1:], sites.get(each[0])), _unshown_row
    )
    text = f"{counted(len(held), 'record')} held back" + (
        f", the first {MOST_SHOWN} shown." if len(held) > MOST_SHOWN else "."
    )
    await acreate_table_artifact(table=rows, key=HELD_KEY, description=text)
    return len(held)


def _unshown_row(held: tuple[str, str, int, HeldRecord], error: Exception) -> dict[str, str]:
    return {"Held by": cell(held[1]), "Why": f"This row can't be shown: {cell(problem_words(error), 300)}"}


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
        "Since": f"{held.since:%Y-%m-%d %H:%M} UTC" if held.since else "",
        "Record": linked(held.name or held.key, shown),
        "Key": cell(held.key),
        "Held by": f"{feature}, {held.step}",
        "Company": str(company or ""),
        "Refused": counted(held.attempts, "time"),
        "Why": cell(held.reason, 300),
        "Try again": _AGAIN.get(feature, _AGAIN_ELSE.format(feature)),
    }
