"""How the vendors' servers behave and how the flow is set for one schedule, drawn from the seed."""

from __future__ import annotations

import random
from typing import Any

LEAN = {
    "assetBasicInfo.name": "name",
    "assetBasicInfo.type": "type.name",
    "assetCustom.serialNumber": "serialNumber",
    "assetBasicInfo.mac": "macAddress",
}
FURTHER = {
    "assetCustom.manufacturer": "manufacturer.name",
    "assetCustom.stateName": "status.name",
    "assetCustom.location": "location.name",
    "assetBasicInfo.ipAddress": "ipAddress",
    "assetCustom.model": "modelNumber",
    "assetCustom.warrantyDate": "warrantyExpirationDate",
    "assetBasicInfo.userName": "lastLoginName",
    "operatingSystem.version": "osInfo",
}
CUSTOM_FIELD_IDS = {"ls_asset_id": 5, "ls_asset_url": 6, "ls_software": 7, "ls_asset_location": 8}
"""As every scenario of the sandbox has them."""


def draw_settings(draw: random.Random, *, enrichment: bool) -> dict[str, Any]:
    """Settings of the flow as JSON, company, dry run and waits left out."""
    return _of_enrichment(draw) if enrichment else _of_assets(draw)


def _of_assets(draw: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "write_mode": draw.choice(("bulk", "bulk", "bulk", "patch")),
        "batch_size": draw.choice((3, 5, 8, 12, 20, 50)),
    }
    if draw.random() < 0.6:
        further = draw.sample(sorted(FURTHER), draw.randint(0, 4))
        found["mappings"] = [LEAN, *(_mapping(draw, source) for source in further)]
    if draw.random() < 0.3:
        found["custom_field_ids"] = {
            name: CUSTOM_FIELD_IDS[name] for name in draw.sample(sorted(CUSTOM_FIELD_IDS), draw.randint(1, 4))
        }
    if draw.random() < 0.15:
        found["case_sensitive_match"] = False
    if draw.random() < 0.2:
        found["software_lines"] = draw.choice((1, 5, 20))
    return found


def _mapping(draw: random.Random, source: str) -> dict[str, str]:
    """A field of its own, sometimes one that ConnectWise decides when it has a value."""
    mapping = {"source": source, "target": FURTHER[source]}
    return mapping if draw.random() < 0.6 else mapping | {"authority": draw.choice(("fill", "connectwise"))}


def _of_enrichment(draw: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "aliases": draw.choice((1, 3, 7, 25, 25)),
        "reconcile_every": draw.choice((1, 2, 7)),
        "full_reconcile": draw.random() < 0.2,
    }
    if draw.random() < 0.3:
        found["asset_id_field"] = CUSTOM_FIELD_IDS["ls_asset_id"]
    if draw.random() < 0.2:
        found["text"] = {"agreements": draw.choice((1, 2)), "characters": 200}
    return found


def draw_switches(draw: random.Random, *, enrichment: bool, settings: dict[str, Any]) -> dict[str, Any]:
    """Switches of the sandbox. Lansweeper counts no requests: its cool-down lasts a minute."""
    found: dict[str, Any] = {"lansweeper_limits": False}
    found["unset_custom_field"] = draw.choice(("omit", "null"))
    found["graphql_error_paths"] = draw.random() < 0.7
    found["page_size_over_limit"] = draw.choice(("cap", "refuse"))
    found |= _service_desk(draw, settings) if enrichment else _bulk(draw, settings)
    return found


def _bulk(draw: random.Random, settings: dict[str, Any]) -> dict[str, Any]:
    """A limit below the setting would refuse every batch, which the report says: nothing to judge."""
    found: dict[str, Any] = {
        "bulk_answer": draw.choice(("bulk_result", "bulk_result", "array", "record")),
        "patch_requires_custom_fields": draw.random() < 0.3,
    }
    kind = draw.choices(("usual", "off", "limit", "resets"), (7, 1, 1, 1))[0]
    if kind == "off":
        found["bulk_enabled"] = False
    elif kind == "limit":
        found["bulk_limit"] = settings["batch_size"]
    elif kind == "resets":
        found["bulk_put_resets"] = draw.sample(["notes", "tagNumber", "vendorNotes"], draw.randint(1, 2))
    return found


def _service_desk(draw: random.Random, settings: dict[str, Any]) -> dict[str, Any]:
    """A change of links that moves no ``lastUpdated`` is seen by a full reconcile only."""
    moves = not settings["full_reconcile"] or draw.random() < 0.5
    return {
        "agreement_report": draw.random() < 0.6,
        "ticket_search": draw.random() < 0.7,
        "configuration_condition": draw.choice(("off", "single", "in")),
        "configuration_condition_on_project": draw.random() < 0.8,
        "bundle_limit": draw.choice((0, 1, 1, 5)),
        "attach_moves_last_updated": moves,
        "detach_moves_last_updated": moves,
        "alias_counting": draw.choice(("request", "each")),
        "alias_limit": draw.choice((None, None, 2, 10)),
    }
