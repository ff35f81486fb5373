"""Looks whether another company's configuration claims an asset whose texts it wrote last.

A run reads the configurations of its company only. Where two companies claim one asset, each run would
overwrite what the other wrote, for ever. What the asset says of its configuration gives that away, so only
such configurations are asked for: none, in most runs.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from connectors.connectwise.conditions import split_in
from tasks.enrichment.reading import LinkReader, asset_key_of
from tasks.enrichment.run import EnrichmentRun, Record
from tasks.inventory import Inventory
from tasks.rules.enrichment import AssetState
from tasks.rules.enrichment_plan import ConfigurationName
from tasks.rules.rival_claims import named_elsewhere
from tasks.synchronization.patience import patiently

FIELDS = "id,name,company,customFields"


async def read_rivals(
    run: EnrichmentRun, configurations: Inventory[Record], assets: Inventory[AssetState]
) -> dict[str, ConfigurationName]:
    """The other companies' configurations that still claim assets which this company claims too, by asset."""
    claimed = {key for each in configurations if (key := asset_key_of(each))}
    named = named_elsewhere(assets, claimed, {int(each["id"]) for each in configurations})
    link = LinkReader(run.settings.asset_id_field, run.company.id)
    found = {int(each["id"]): each for each in await _read(run, sorted(set(named.values())))}
    return {
        key: _shown(found[number], key)
        for key, number in named.items()
        if number in found and asset_key_of(link.read(found[number])) == key
    }


async def _read(run: EnrichmentRun, ids: list[int]) -> list[Record]:
    records: list[Record] = []
    for conditions in split_in("id", ids):
        listing = partial(run.client.list_configurations, conditions, fields=FIELDS)
        records += await patiently(listing, run.settings.waiting)
    return records


def _shown(record: dict[str, Any], key: str) -> ConfigurationName:
    company = record.get("company") or {}
    named = company.get("name") or company.get("identifier") or "another company"
    return ConfigurationName(int(record["id"]), f"{record.get('name') or ''} of {named}".strip(), key)
