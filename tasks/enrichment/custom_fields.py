"""The Lansweeper custom fields that take what ConnectWise knows: found by name, or created once."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from connectors.errors import RejectedError
from connectors.lansweeper.models import CustomField
from connectors.ledger.models import WriteEntry
from tasks.lansweeper.create_custom_field import create_custom_field
from tasks.lansweeper.list_custom_fields import list_custom_fields
from tasks.rules.enrichment.texts import (
    FIELD_TYPES,
    CustomFieldKeys,
    choose_fields,
    short_fields,
    unlisted_keys,
)
from tasks.rules.lansweeper_input import FieldType
from tasks.shared.connections import current_run_id, lansweeper_client, open_ledger
from tasks.shared.create_once import create_once
from tasks.shared.journalled import RunJournal
from tasks.shared.lease import fields_lease
from tasks.shared.progress import run_logger
from tasks.shared.retry import Waiting
from tasks.shared.whole_list import ShortListError


async def custom_field_keys(
    lansweeper: str, site_id: str, *, create: bool, alone: bool = False, waiting: Waiting | None = None
) -> CustomFieldKeys:
    """The keys of the documented custom fields; with ``create`` the missing ones are made.

    Of two fields with one name the first listed with the right type is taken; a further one is never made:
    before each creation, and after one whose outcome is unclear, the site's fields are read again.

    Args:
        lansweeper: name of the Lansweeper Connection block.
        site_id: the site; empty for the site of the connection.
        create: make what is missing; otherwise nothing is written.
        alone: no run has read the assets, so that nothing but a look at some of them tells of a short list.
        waiting: how long a creation without an answer is waited for.

    Raises:
        LeaseHeldError: another run is still making fields on this connection.
        ShortListError: an asset has a value in a field that the list of fields lacks.
        StopError: the token or its role may not read or make custom fields.
        UnclearOutcomeError: several creations had no answer, and the field is still not there.
    """
    site = SiteFields(lansweeper, site_id, waiting or Waiting())
    choice = choose_fields(await site.read())
    if create and choice.missing and alone:
        await site.check_listed(choice.listed)
    if create and choice.missing:
        # Runs of two companies make the same fields: between a look and a creation the other's could come.
        tenant, wait = await site.tenant(), site.waiting.lease_seconds
        async with fields_lease(tenant, wait, connection=lansweeper):
            refused = [note for name in choice.missing if (note := await site.make(name))]
        choice = choose_fields(site.listed)
        if choice.missing:
            choice = choose_fields(await site.read())
        choice.created = [name for name in choice.keys if name in site.created]
        choice.warnings += refused
    for warning in choice.warnings:
        run_logger().warning("%s", warning)
    return choice


class SiteFields:
    """The custom fields of one site, as ``create_once`` takes them.

    ``created``: names that this run made; ``listed``: the fields as last read, and those made since.
    """

    def __init__(self, lansweeper: str, site_id: str, waiting: Waiting) -> None:
        self.lansweeper = lansweeper
        self.site_id = site_id
        self.waiting = waiting
        self.created: list[str] = []
        self.listed: list[CustomField] = []

    async def tenant(self) -> str:
        """The key of the site, which the lease and the journal go by."""
        async with lansweeper_client(self.lansweeper) as client:
            return client.settings.tenant_key(self.site_id or (await client.site())["id"])

    async def read(self) -> list[CustomField]:
        found = await list_custom_fields(self.lansweeper, self.site_id)
        self.listed = [cast(CustomField, each) for each in found]
        return self.listed

    async def check_listed(self, listed: Collection[str]) -> None:
        """Look at the first page of assets: one request. ShortListError: the list of fields lacks one's."""
        async with lansweeper_client(self.lansweeper) as client:
            site = self.site_id or (await client.site())["id"]
            async for page in client.asset_pages(site, ["assetCustom.fields.fieldKey"]):
                unlisted = {key for item in page.items for key in unlisted_keys(item, listed)}
                if unlisted:
                    raise ShortListError(
                        short_fields(len(unlisted), len(listed)), remedy="Nothing was made. Run it again."
                    )
                return

    async def make(self, name: str) -> str:
        """Make one field unless somebody else did meanwhile; why it was refused, or an empty text."""
        try:
            async with open_ledger() as ledger:
                tenant = await self.tenant()
                journal = RunJournal(ledger, current_run_id(), self.lansweeper, 0, tenant)
                made = await create_once(self, name, journal=journal, waiting=self.waiting, look_first=True)
        except RejectedError as error:
            return f"The custom field {name} was not made: {error}"
        if made.here:
            self.created.append(name)
            run_logger().info("Lansweeper custom field made: %s (%s)", name, FIELD_TYPES[name])
        return ""

    async def find(self, name: str) -> str | None:
        return choose_fields(await self.read(), {name: FIELD_TYPES[name]}).keys.get(name)

    async def create(self, name: str) -> None:
        kind = cast(FieldType, FIELD_TYPES[name])
        made = await create_custom_field(self.lansweeper, name, kind, site_id=self.site_id)
        self.listed.append(cast(CustomField, made))

    def entry(self, name: str) -> WriteEntry:
        after = {"name": name, "type": FIELD_TYPES[name]}
        return WriteEntry("create_reference", "Lansweeper custom field", None, None, name, None, after)
