"""One run of tickets-agreements-sla-sync: settings, company, Lansweeper site, open connections."""

from __future__ import annotations

from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.errors import StopError
from connectors.lansweeper.client import LansweeperClient
from connectors.ledger.models import StoredPlan
from connectors.ledger.store import Ledger
from tasks.connectwise.list_companies import Company, find_company
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.enrichment.plan import SkippedConfiguration
from tasks.rules.enrichment.texts import CustomFieldKeys
from tasks.rules.forecast import Forecast
from tasks.shared.connections import current_run_id
from tasks.shared.events import EventSubject
from tasks.shared.journalled import RunJournal
from tasks.shared.retry import retry

Record = dict[str, Any]


class EnrichmentRun:
    """Handed from step to step. A class of its own, so that Prefect does not look into it.

    ``connectwise`` and ``lansweeper`` are block names, ``client`` and ``assets`` the clients that they open;
    ``field_keys`` are the keys of our custom fields by name, those that exist; ``fields_missing`` the others,
    as the plan found them; ``fields_created`` those that this run made, or in a dry run would make; ``reads``
    the requests to Lansweeper before the first edit; ``notes`` is what a person should know of the run beside
    its counts; ``doubts`` are sentences about answers that were not whole: a real run is refused for one;
    ``listed_fields`` are the keys of all custom fields of the site, ``unlisted_fields`` those that assets
    have and that are not among them; ``unread_assets`` and ``unread_configurations`` could not be read, and
    why; ``forecast`` is what the whole run takes, by its plan; ``plan_id``: under which the ledger keeps the
    plan, empty where it does not; ``stored``: the plan that the run applies, if it applies one.
    """

    def __init__(
        self,
        settings: EnrichmentSettings,
        *,
        run_id: str,
        connectwise: str,
        lansweeper: str,
        company: Company,
        site_id: str,
        client: ConnectWiseClient,
        assets: LansweeperClient,
        ledger: Ledger,
    ) -> None:
        self.settings = settings
        self.run_id = run_id
        self.connectwise = connectwise
        self.lansweeper = lansweeper
        self.company = company
        self.site_id = site_id
        self.client = client
        self.assets = assets
        self.ledger = ledger
        self.field_keys: dict[str, str] = {}
        self.fields_missing: list[str] = []
        self.fields_created: list[str] = []
        self.reads = 0
        self.notes: list[str] = []
        self.doubts: list[str] = []
        self.listed_fields: frozenset[str] = frozenset()
        self.unlisted_fields: set[str] = set()
        self.unread_assets: dict[str, str] = {}
        self.unread_configurations: dict[int, SkippedConfiguration] = {}
        self.only: set[str] | None = None
        self.forecast = Forecast()
        self.plan_id = ""
        self.stored: StoredPlan | None = None

    def is_about(self, asset_key: str | None) -> bool:
        """Whether the run looks at the asset, and at configurations that claim it; ``only`` None: at all."""
        return self.only is None or asset_key in self.only

    @property
    def journal(self) -> RunJournal:
        """The journal of this run's edits of assets."""
        return RunJournal(self.ledger, self.run_id, self.lansweeper, self.company.id, self.site_tenant)

    @property
    def subject(self) -> EventSubject:
        """What the events of this run are about."""
        return EventSubject("tickets-agreements-sla-sync", self.company.id, self.company.identifier)

    @property
    def tenant(self) -> str:
        """The key of the ConnectWise tenant, under which its query strategies and tickets are remembered."""
        return self.client.settings.tenant_key

    @property
    def site_tenant(self) -> str:
        """The key of the Lansweeper site that is written to."""
        return self.assets.settings.tenant_key(self.site_id)

    def __repr__(self) -> str:
        return f"EnrichmentRun({self.company.identifier}, {self.run_id})"


async def prepare_enrichment(
    settings: EnrichmentSettings,
    connectwise: str,
    lansweeper: str,
    *,
    client: ConnectWiseClient,
    assets: LansweeperClient,
    ledger: Ledger,
) -> EnrichmentRun:
    """Find the company, or CompanyNotFoundError, and the site, or StopError."""
    company = await retry(lambda: find_company(client, settings.company), settings.waiting)
    site = await retry(assets.site, settings.waiting)
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
    """Note which of our custom fields the site has, before the plan: missing ones are made after it."""
    run.field_keys = found.keys
    run.fields_missing = found.missing
    run.listed_fields = found.listed
    run.fields_created = found.missing if run.settings.dry_run else []
    run.notes += found.warnings


def take_made_fields(run: EnrichmentRun, found: CustomFieldKeys) -> None:
    """Note the fields after missing ones were made; FieldMissingError: one could not be made, and why."""
    run.field_keys = found.keys
    run.fields_created = found.created
    run.reads = run.assets.session.requests
    run.notes += [each for each in found.warnings if each not in run.notes]
    if found.missing:
        raise FieldMissingError(
            f"Lansweeper has no custom field {', '.join(found.missing)}. {' '.join(found.warnings)}".strip(),
            remedy="Make it by hand, or let the token's role do so.",
        )
