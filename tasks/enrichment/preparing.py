"""Makes a run ready: the company and the Lansweeper site, before anything else is read."""

from __future__ import annotations

from connectors.connectwise.client import ConnectWiseClient
from connectors.errors import StopError
from connectors.lansweeper.client import LansweeperClient
from connectors.ledger.store import Ledger
from tasks.connections import current_run_id
from tasks.enrichment.run import EnrichmentRun
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.custom_field_choice import CustomFieldKeys
from tasks.synchronization.patience import patiently
from tasks.synchronization.preparing import find_company


async def prepare_enrichment(
    settings: EnrichmentSettings,
    connectwise: str,
    lansweeper: str,
    *,
    client: ConnectWiseClient,
    assets: LansweeperClient,
    ledger: Ledger,
) -> EnrichmentRun:
    """Find the company and the site.

    Raises:
        CompanyNotFoundError: no such company.
        StopError: a key or token is refused, or the token does not see the site.
    """
    company = await patiently(lambda: find_company(client, settings.company), settings.waiting)
    site = await patiently(assets.site, settings.waiting)
    return EnrichmentRun(
        settings,
        run_id=current_run_id(),
        connectwise=connectwise,
        lansweeper=lansweeper,
        company=company,
        site_id=site["id"],
        client=client,
        assets=assets,
        ledger=ledger,
    )


class FieldMissingError(StopError):
    """Lansweeper does not have a custom field that is to be written, and it could not be made."""


def take_fields(run: EnrichmentRun, found: CustomFieldKeys) -> None:
    """Note which of our custom fields the site has, by what the cross flow found or made.

    Raises:
        FieldMissingError: a missing field could not be made; the text has Lansweeper's own words.
    """
    dry = run.settings.dry_run
    run.field_keys = found.keys
    run.fields_created = found.missing if dry else found.created
    run.notes += found.warnings
    if found.missing and not dry:
        raise FieldMissingError(
            f"Lansweeper has no custom field {', '.join(found.missing)}. {' '.join(found.warnings)}".strip(),
            remedy="Make it by hand, or let the token's role do so.",
        )
