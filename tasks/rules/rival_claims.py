"""Assets that carry the texts of another company's configuration, which may claim them just as well."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from tasks.rules.enrichment import CONFIGURATION_URL, AssetState

_RECORD = re.compile(r"[?&]recid=(\d{1,18})(?![^&#])", re.IGNORECASE)


def named_elsewhere(
    assets: Iterable[AssetState], claimed: Collection[str], own: Collection[int]
) -> dict[str, int]:
    """The configuration that an asset's ``cw_configuration_url`` names, by the asset's key.

    Args:
        claimed: keys of the assets that configurations of the run's company claim; others do not matter.
        own: ids of the company's configurations; an asset that names one of these is left out.
    """
    named = {each.key: named_configuration(each) for each in assets if each.key in claimed}
    return {key: number for key, number in named.items() if number is not None and number not in own}


def named_configuration(asset: AssetState) -> int | None:
    """The id in the address that the asset was given last; None if it has none that can be read."""
    found = _RECORD.search(asset.values.get(CONFIGURATION_URL, ""))
    return int(found[1]) if found else None
