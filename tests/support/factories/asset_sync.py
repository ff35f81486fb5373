"""A small mapping with records on both sides, for the tests of plans, payloads and undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.rules.asset_sync.decide import decide_creation, known_problems
from tasks.rules.asset_sync.payloads import CreationPayload, creation_payload, lay_member, without_info
from tasks.rules.asset_sync.undo import _sent
from tasks.rules.mapping.compile import CompiledMapping, compile_mapping
from tasks.rules.mapping.model import FieldMapping
from tasks.rules.values import AssetRecord, ConfigurationRecord

COMPANY = 6
CUSTOM_IDS = {"ls_asset_id": 5, "ls_asset_url": 6}
REFERENCES = {
    "type.name": {"ls_windows": 11, "ls_linux": 12},
    "status.name": {"ls_active": 21},
    "manufacturer.name": {"dell": 31, "hp": 32},
    "location.name": {"tampa": 41, "dock 4": 42},
}


def compiled(**authorities: str) -> CompiledMapping:
    """The sample mapping; ``type_name="lansweeper"`` sets the authority of ``type.name``."""
    targets = ["name", "type.name", "status.name", "manufacturer.name", "location.name", "serialNumber"]
    targets += [
        "modelNumber",
        "macAddress",
        "purchaseDate",
        "activeFlag",
        "notes",
        "customFields.ls_asset_url",
    ]
    lines = [
        FieldMapping.model_validate(
            {
                "source": target.replace(".", "_"),
                "target": target,
                "authority": authorities.get(target.replace(".", "_")),
                "clear": target == "notes",
            }
        )
        for target in targets
    ]
    return compile_mapping(lines, custom_field_ids=CUSTOM_IDS)


def asset(key: str = "k1", **values: Any) -> AssetRecord:
    """An asset with a name and a type, read through the sample mapping."""
    item = {"key": key, "name": f"PC {key}", "type_name": "Windows", **values}
    return compiled().read_asset(item)


def payload_of(one: AssetRecord, mapping: CompiledMapping | None = None) -> CreationPayload:
    """What is decided of an asset that is created, and the record of it."""
    mapping = mapping or compiled()
    decision = decide_creation(one, mapping, known_problems(REFERENCES))
    if decision.skipped:
        return CreationPayload(None, skipped=decision.skipped)
    payload = creation_payload(decision.values, mapping, REFERENCES, COMPANY)
    return CreationPayload(payload.record, [*decision.warnings, *payload.warnings], payload.skipped)


def wire(record_id: int = 100, key: str | None = "k1", **members: Any) -> dict[str, Any]:
    """A whole configuration as ConnectWise answers it, for the asset of the same key."""
    return {
        "id": record_id,
        "name": f"PC {key}",
        "type": {"id": 11, "name": "ls_Windows", "_info": {"type_href": "x"}},
        "status": {"id": 1, "name": "Active"},
        "company": {"id": COMPANY, "name": "BlueLightCo"},
        "location": {"id": 40, "name": "Main"},
        "locationId": 40,
        "vendorNotes": "kept",
        "activeFlag": True,
        "questions": [{"questionId": 1, "answer": "yes"}],
        "customFields": [
            {"id": 5, "caption": "ls_asset_id", "type": "Text", "value": key},
            {"id": 9, "caption": "Rack", "type": "Text", "value": "R1"},
        ],
        "_info": {"lastUpdated": "2026-01-01T00:00:00Z"},
        **members,
    }


def configuration(record_id: int = 100, key: str | None = "k1", **members: Any) -> ConfigurationRecord:
    """The same, read through the sample mapping."""
    return compiled().read_configuration(wire(record_id, key, **members))


CUSTOM = "customFields/"


def with_values(record: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The whole record of a PUT that sets the journalled values again; None clears."""
    laid: dict[str, Any] = without_info(record)
    for key, value in values.items():
        if not key.startswith(CUSTOM):
            lay_member(laid, key, _sent(value))
            continue
        field_id = int(key.removeprefix(CUSTOM))
        others = [each for each in laid.get("customFields") or [] if each.get("id") != field_id]
        own = [each for each in laid.get("customFields") or [] if each.get("id") == field_id]
        laid["customFields"] = [*others, {**(own[0] if own else {"id": field_id}), "value": value}]
    return laid
