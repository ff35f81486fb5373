"""Cross flow: the Lansweeper custom fields that tickets-agreements-sla-sync writes, made where missing."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from tasks.enrichment.custom_fields import custom_field_keys
from tasks.rules.enrichment.texts import CustomFieldKeys, field_rows
from tasks.rules.text import escape
from tasks.shared.connections import DEFAULT, lansweeper_client, shared_connections, within_another_run
from tasks.shared.run_forms import LansweeperName, LedgerName, titled
from tasks.shared.run_names import flow_run_name

ARTIFACT_KEY = "lansweeper-custom-fields"


@flow(name="lansweeper-custom-fields", flow_run_name=flow_run_name, persist_result=False)
async def lansweeper_custom_fields(
    lansweeper: LansweeperName = DEFAULT,
    dry_run: Annotated[bool, titled("Dry run", "Show what is missing and make nothing.")] = True,
    ledger: LedgerName = DEFAULT,
) -> CustomFieldKeys:
    """Find the Lansweeper custom fields for tickets, agreements and SLA, and make the missing ones."""
    async with shared_connections(read_only=dry_run, ledger=ledger):
        async with lansweeper_client(lansweeper) as client:
            site = await client.site()
        fields = await custom_field_keys(
            lansweeper, site["id"], create=not dry_run, alone=not within_another_run()
        )
    notes = [
        f"**Custom fields of the Lansweeper site {escape(site['name'])}.**",
        *map(escape, fields.warnings),
    ]
    await acreate_table_artifact(
        table=[dict(row) for row in field_rows(fields, dry_run=dry_run)],
        key=ARTIFACT_KEY,
        description="\n\n".join(notes),
    )
    return fields
