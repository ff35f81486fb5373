"""The scenario `enrichment`: the asset sync has run, so every asset is a configuration that names it.

A few are odd: without `ls_asset_id`, naming an asset that Lansweeper no longer has, or two naming one asset.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.data.assets import uuid_text
from sandbox.data.configurations import TYPE_OF
from sandbox.data.provider import ASSET_ID_FIELD, ASSET_URL_FIELD, RUN_COMPANY, Setup

Record = dict[str, Any]
Asset = dict[str, Any]

CLAIMED_TWICE = 3
CREATED = "2026-05-03T02:10:00Z"


def linked_configurations(
    seed: int, setup: Setup, slas: list[int], assets: Iterable[Asset]
) -> Iterator[Record]:
    """One wire record for each asset, in the run's company."""
    draw, twice = random.Random(f"{seed}-linked"), ""
    for place, asset in enumerate(assets):
        record = _record(setup, asset)
        key = asset["key"]
        if place == CLAIMED_TWICE:
            twice = key
        elif place == CLAIMED_TWICE + 1:
            key = twice
        elif place % 300 == 23:
            key = uuid_text(draw.getrandbits(128))
        if place % 200 != 17:
            record["customFields"] = [
                {"id": ASSET_ID_FIELD, "value": key},
                {"id": ASSET_URL_FIELD, "value": asset["url"].replace(asset["key"], key)},
            ]
        if place % 5 == 0:
            record["sla"] = {"id": slas[place % len(slas)]}
        yield record


def _record(setup: Setup, asset: Asset) -> Record:
    info, custom = asset["assetBasicInfo"], asset["assetCustom"]
    return {
        "name": info["name"].strip()[:100],
        "type": {"id": setup.types[TYPE_OF[info["type"]]]},
        "company": {"id": RUN_COMPANY},
        "status": {"id": setup.statuses["Active"]},
        "serialNumber": (custom.get("serialNumber") or "").strip() or None,
        "macAddress": info.get("mac"),
        "ipAddress": info.get("ipAddress"),
        "_info": {"lastUpdated": CREATED, "dateEntered": CREATED},
    }
