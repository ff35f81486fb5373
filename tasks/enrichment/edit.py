"""Write the texts that differ, by the action Edit Asset."""

from __future__ import annotations

import random
from collections.abc import Sequence

from connectors.lansweeper.models import AssetEdit
from connectors.ledger.models import WriteEntry
from tasks.enrichment.run import EnrichmentRun
from tasks.lansweeper.edit_asset import JournalledEdit, edit_assets
from tasks.rules.enrichment.plan import AssetUpdate
from tasks.shared.action import Inventory
from tasks.shared.journalled import WriteResult


async def edit_texts(run: EnrichmentRun, updates: Sequence[AssetUpdate]) -> dict[str, WriteResult]:
    """Write the changed texts of each asset; the results are by asset key."""
    edits = [edit_of(each, run.field_keys) for each in mixed(updates, run.run_id)]
    results = await edit_assets(
        run.assets,
        run.site_id,
        Inventory(edits),
        run.journal,
        most=run.settings.aliases,
        policy=run.settings.waiting,
    )
    return results.value


def mixed(updates: Sequence[AssetUpdate], run_id: str) -> list[AssetUpdate]:
    """In another order in every run: assets that are always refused never keep the others from their turn."""
    return random.Random(run_id).sample(updates, len(updates))


def edit_of(update: AssetUpdate, keys: dict[str, str]) -> JournalledEdit:
    """The edit that writes an asset's texts; ``keys`` are the custom fields' keys by name."""
    key, after = update.asset.key, update.after()
    return JournalledEdit(
        AssetEdit.of_custom_fields(key, {keys[name]: text for name, text in after.items() if name in keys}),
        WriteEntry("modify", "asset", None, key, update.name, update.before(), after),
        update.configuration.id,
    )
