"""Read the configurations and the assets, and the claims of other companies; keep what the enrichment needs.

A run reads the configurations of its company only. Where two companies claim one asset, each run would
overwrite what the other wrote, for ever. What the asset's text says of its configuration gives that away, so
only such contested assets are asked about: none, in most runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from connectors.connectwise.conditions import equals, split_in
from connectors.errors import StopError
from tasks.connectwise.list_configurations import read_configurations
from tasks.enrichment.run import EnrichmentRun, Record
from tasks.lansweeper.list_assets import AssetInventory, read_assets
from tasks.rules.enrichment.answers import object_members
from tasks.rules.enrichment.plan import ConfigurationName, SkippedConfiguration
from tasks.rules.enrichment.texts import AssetState, named_elsewhere, unlisted_keys
from tasks.rules.isolation import problem_words
from tasks.rules.mapping.model import LINK_CAPTION
from tasks.rules.mapping.typed_ids import check_custom_field_ids
from tasks.rules.text import counted
from tasks.rules.values import folded, plain_text, written_text
from tasks.shared.action import Inventory
from tasks.shared.retry import retry
from tasks.shared.whole_list import read_custom_fields

CONFIGURATION_FIELDS = "id,name,sla,company/id,customFields"
ASSET_FIELDS = ("url", "assetBasicInfo.name", "assetCustom.fields.fieldKey", "assetCustom.fields.value")


ID_SETTING = "Id of the ConnectWise custom field ls_asset_id"


class LinkFieldMissingError(StopError):
    """No configuration of the company has the custom field that links it to its asset."""


async def read_claims(run: EnrichmentRun) -> Inventory[Record]:
    """Every configuration of the company with its ``ls_asset_id``; LinkFieldMissingError if none has it."""
    reader = LinkReader(run.settings.asset_id_field, run.company.id)
    conditions = equals("company/id", run.company.id)
    records: Inventory[Record] = await read_configurations(
        run.client, conditions, CONFIGURATION_FIELDS, reader.read
    )
    _note_unread(run, records, reader)
    records = _of_the_company(run, records, reader)
    if records and not reader.seen:
        wanted = run.settings.asset_id_field
        named = repr(LINK_CAPTION) if wanted is None else f"with the id {wanted}"
        raise LinkFieldMissingError(
            f"No configuration of {run.company.identifier} has a custom field {named}, which links it to "
            "its asset",
            remedy="Create it on the Configuration screen and run asset-synchronization, or give its right "
            f"id under {ID_SETTING}.",
        )
    await _check_typed_id(run, reader)
    if not records:
        run.notes.append(f"ConnectWise has no configurations of {run.company.identifier}.")
    return records


async def _check_typed_id(run: EnrichmentRun, reader: LinkReader) -> None:
    """Hold a typed id against the caption that the configurations show beside it; no request where they do.

    Raises:
        CustomFieldError: it is another field's.
    """
    typed, meant = run.settings.asset_id_field, run.settings.asset_id_caption
    if typed is None or not reader.seen:
        return
    defined = reader.captions
    if not all(str(each["caption"]).strip() for each in defined if each["id"] == typed):
        defined = await retry(lambda: read_custom_fields(run.client), run.settings.waiting)
    check_custom_field_ids(
        {LINK_CAPTION: typed},
        {LINK_CAPTION: meant} if meant.strip() else {},
        defined,
        setting=ID_SETTING,
        other_setting="Other caption of that field",
    )


def _note_unread(run: EnrichmentRun, records: Inventory[Record], reader: LinkReader) -> None:
    """Configurations that could not be read are counted as skipped; their assets' texts stay as they are."""
    for each in records.unread:
        given = object_members(each.record)
        number = given.get("id")
        if isinstance(number, int):
            key = reader.key_of(given)
            name = ConfigurationName(number, written_text(given.get("name")) or "", key)
            run.unread_configurations[number] = SkippedConfiguration(
                name, f"it could not be read: {each.reason}"
            )
    records.unread.clear()


def _of_the_company(run: EnrichmentRun, records: Inventory[Record], reader: LinkReader) -> Inventory[Record]:
    """Each configuration once, and none of another company, which tells of an answer that is wrong."""
    by_id = {int(each["id"]): each for each in records if int(each["id"]) not in reader.strangers}
    if reader.strangers:
        run.doubts.append(
            f"Asked for the configurations of {run.company.identifier}, ConnectWise also gave "
            f"{counted(len(reader.strangers), 'configuration')} of other companies. Run it again."
        )
    if repeated := len(records) - len(reader.strangers) - len(by_id):
        run.notes.append(f"ConnectWise gave {counted(repeated, 'configuration')} more than once.")
    return Inventory(list(by_id.values()))


class LinkReader:
    """Cuts a configuration's custom fields down to the one that links it.

    ``seen``: any had that one. ``captions``: id and caption of the fields of the first that had it.
    ``strangers``: ids of those that name another company than was asked for.
    """

    def __init__(self, field_id: int | None, company_id: int) -> None:
        self._field_id = field_id
        self._company = {"id": company_id}
        self.seen = False
        self.captions: list[Record] = []
        self.strangers: set[int] = set()

    def read(self, record: Record) -> Record:
        found = [each for each in record.get("customFields") or [] if self._is_link(each)]
        if found and not self.seen:
            self.seen = True
            self.captions = [
                {"id": each["id"], "caption": each.get("caption") or ""}
                for each in record["customFields"]
                if each.get("id") is not None
            ]
        company = (record.get("company") or {}).get("id", self._company["id"])
        if company != self._company["id"]:
            self.strangers.add(int(record["id"]))
        link = [{**each, "caption": LINK_CAPTION} for each in found[:1]]
        return {**record, "company": self._company, "customFields": link}

    def key_of(self, record: Mapping[str, Any]) -> str | None:
        """The key of a record that can't be read whole, None where not even that can be."""
        fields = record.get("customFields")
        whole = [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []
        return next((plain_text(each.get("value")) for each in whole if self._is_link(each)), None)

    def _is_link(self, entry: Record) -> bool:
        if self._field_id is not None:
            return entry.get("id") == self._field_id
        return folded(str(entry.get("caption") or "")) == LINK_CAPTION


def asset_key_of(record: Record) -> str | None:
    """The asset that a configuration read by ``read_claims`` claims; None if it claims none."""
    value = next((each.get("value") for each in record["customFields"]), None)
    return str(value).strip() or None if value is not None else None


async def read_states(run: EnrichmentRun) -> Inventory[AssetState]:
    """Read every asset of the site with the texts that our custom fields have there."""
    names = {key: name for name, key in run.field_keys.items()}
    assets = await _read_site(run, names)
    if assets.missing:
        assets = await _read_site(run, names)
    for each in assets.unread:
        key = plain_text(object_members(each.record).get("key")) or ""
        run.unread_assets[key] = f"its asset could not be read: {each.reason}"
        assets.records.append(AssetState(key, "", "", {}))
    assets.unread.clear()
    if assets.missing:
        run.notes.append(
            f"Lansweeper named {assets.total} assets but gave {len(assets)}: "
            "an asset that is reported as gone may be one of those that are missing."
        )
    return assets


async def _read_site(run: EnrichmentRun, names: dict[str, str]) -> AssetInventory[AssetState]:
    def keep(item: dict[str, Any]) -> AssetState:
        if run.fields_missing:
            run.unlisted_fields |= unlisted_keys(item, run.listed_fields)
        return asset_state(item, names)

    found: AssetInventory[AssetState] = await read_assets(
        run.assets, run.site_id, ASSET_FIELDS, None, keep, run.settings.waiting
    )
    return found


def asset_state(item: dict[str, Any], names: dict[str, str]) -> AssetState:
    """An asset as Lansweeper answers it, cut down; ``names`` are our fields' names by their keys."""
    fields = (item.get("assetCustom") or {}).get("fields") or []
    values = {
        names[each["fieldKey"]]: str(each["value"])
        for each in fields
        if each.get("fieldKey") in names and each.get("value") is not None
    }
    name = (item.get("assetBasicInfo") or {}).get("name")
    return AssetState(str(item["key"]), str(name or ""), str(item.get("url") or ""), values)


_FIELDS = "id,name,company,customFields"


async def read_contested(
    run: EnrichmentRun, configurations: Inventory[Record], assets: Inventory[AssetState]
) -> dict[str, ConfigurationName]:
    """The other companies' configurations that still claim assets which this company claims too, by asset."""
    claimed = {key for each in configurations if (key := asset_key_of(each))}
    named = named_elsewhere(assets, claimed, {int(each["id"]) for each in configurations})
    link = LinkReader(run.settings.asset_id_field, run.company.id)
    found = {int(each["id"]): each for each in await _read(run, sorted(set(named.values())))}
    rivals: dict[str, ConfigurationName] = {}
    for key, number in named.items():
        try:
            if number in found and asset_key_of(link.read(found[number])) == key:
                rivals[key] = _shown(found[number], key)
        except Exception as error:
            # It may claim the asset as well as not, so the asset is left alone.
            rivals[key] = ConfigurationName(number, f"can't be read: {problem_words(error)}", key)
    return rivals


async def _read(run: EnrichmentRun, ids: list[int]) -> list[Record]:
    records: list[Record] = []
    for conditions in split_in("id", ids):
        listing = partial(run.client.configurations.list, conditions, fields=_FIELDS)
        records += await retry(listing, run.settings.waiting)
    return records


def _shown(record: dict[str, Any], key: str) -> ConfigurationName:
    company = object_members(record.get("company"))
    named = company.get("name") or company.get("identifier") or "another company"
    return ConfigurationName(int(record["id"]), f"{record.get('name') or ''} of {named}".strip(), key)
