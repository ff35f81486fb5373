"""Mutations of a site: edits of assets, custom fields, deletions.

Fault "partial" on edits: ``{"kind": "partial", "keys": [...]}`` refuses the edits of those assets,
``"share": 0.2`` every fifth edit of all requests, and the others of the mutation are done; ``message`` and
``status`` say with which words.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.faults import Fault
from sandbox.lansweeper.documents import RefusedError, unknown_asset
from sandbox.lansweeper.store import Asset, LansweeperStore

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_DATES = frozenset(
    {"purchaseDate", "warrantyDate", "lastFullBackup", "lastFullImage", "lastPatched", "purchaseOrderDate"}
)
Resolver = Callable[..., Any]
LOCKED = "The asset can not be edited right now"  # text assumed


class SiteWriter:
    """The write side of one site; ``fields()`` is what GraphQL resolves ``site`` of a mutation with."""

    def __init__(self, store: LansweeperStore, seed: int) -> None:
        self._store = store
        self._draw = random.Random(f"lansweeper-keys-{seed}")

    def fields(self) -> dict[str, Any]:
        return {
            "id": self._store.site_id,
            "name": self._store.site_name,
            "editAsset": self.edit_asset,
            "createCustomField": self.create_custom_field,
            "deleteCustomField": self.delete_custom_field,
            "deleteAssets": self.delete_assets,
        }

    def edit_asset(
        self, info: GraphQLResolveInfo[Any], key: str, fields: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Write the given values and lock them against scans. Empty text and null clear a value."""
        asset = self._store.assets.get(key)
        if asset is None:
            raise unknown_asset(key)
        given = {section: dict(values) for section, values in (fields or {}).items() if values}
        custom = given.get("assetCustom", {}).pop("fields", None) or []
        values = {section: _bare_values(part) for section, part in given.items()}
        self._check_custom(custom)
        for section, part in values.items():
            self._write_section(asset, section, part)
        self._write_custom(asset, custom)
        self._store.edited(key)
        return {
            section: asset.get(section) for section in ("assetBasicInfo", "assetCustom", "cloudAssetCustom")
        }

    def create_custom_field(self, info: GraphQLResolveInfo[Any], field: dict[str, Any]) -> dict[str, Any]:
        """Create a field; names need not be unique (a duplicate name error is not recorded)."""
        name = field["name"].strip()
        if not name:
            raise RefusedError("The name of a custom field can't be empty")  # text assumed
        key = str(uuid.UUID(int=self._draw.getrandbits(128), version=4))
        created = {"key": key, "name": name, "type": field["type"], "props": field.get("props")}
        self._store.custom_fields[key] = created
        return created

    def delete_custom_field(self, info: GraphQLResolveInfo[Any], key: str) -> str:
        """Delete a field and its values on every asset."""
        if self._store.custom_fields.pop(key, None) is None:
            raise RefusedError(f"Custom field '{key}' not found", 404)  # text assumed
        for asset in self._store.assets.values():
            _replace_custom(asset, {key: None}, {})
        self._store.touch()
        return key

    def delete_assets(self, info: GraphQLResolveInfo[Any], keys: list[str]) -> list[str]:
        """Delete all or, if one key is unknown, none (which of the two is assumed)."""
        for key in keys:
            if key not in self._store.assets:
                raise unknown_asset(key)
        for key in dict.fromkeys(keys):
            self._store.remove(key)
        return keys

    def _write_section(self, asset: Asset, section: str, values: dict[str, Any]) -> None:
        stored = dict(asset.get(section) or {})
        for name, value in values.items():
            if value in (None, ""):
                stored.pop(name, None)
            else:
                stored[name] = value
            self._store.locks.setdefault(asset["key"], set()).add(f"{section}.{name}")
        asset[section] = stored

    def _check_custom(self, custom: list[dict[str, Any]]) -> None:
        for entry in custom:
            if entry["fieldKey"] not in self._store.custom_fields:
                raise RefusedError(f"Custom field '{entry['fieldKey']}' not found", 404)  # text assumed

    def _write_custom(self, asset: Asset, custom: list[dict[str, Any]]) -> None:
        if custom:
            values = {entry["fieldKey"]: entry.get("value") or None for entry in custom}
            names = {key: field["name"] for key, field in self._store.custom_fields.items()}
            _replace_custom(asset, values, names)


def _bare_values(section: dict[str, Any]) -> dict[str, Any]:
    """Unwrap ``{value}`` where the schema wraps it, and refuse what is no date where one belongs."""
    values = {name: v.get("value") if isinstance(v, dict) else v for name, v in section.items()}
    for name, value in values.items():
        if name in _DATES and value and not _is_date_time(value):
            raise RefusedError(f"DateTime cannot represent an invalid date-time-string {value}.")
        if name in _DATES and value and "T" not in value:
            values[name] = f"{value}T00:00:00.000Z"
    return values


def _is_date_time(text: str) -> bool:
    """Whether a text is written as a date-time, and there is such a day."""
    try:
        return bool(_DATE_TIME.fullmatch(text)) and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _replace_custom(asset: Asset, values: dict[str, str | None], names: dict[str, str]) -> None:
    """Lay custom field values over those of an asset; None takes a field away."""
    section = dict(asset.get("assetCustom") or {})
    kept = [entry for entry in section.get("fields") or [] if entry["fieldKey"] not in values]
    new = [{"fieldKey": k, "name": names[k], "value": v} for k, v in values.items() if v is not None]
    section["fields"] = kept + new or None
    asset["assetCustom"] = section


class EditRefusals:
    """Counts the edits of all disturbed requests, so that a share of them is refused evenly."""

    def __init__(self) -> None:
        self._seen = 0

    def before(self, edit: Resolver, fault: Fault) -> Resolver:
        """The resolver of ``editAsset`` with the fault before it."""
        if fault.get("kind") != "partial":
            return edit

        def resolve(info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if self._is_refused(fault, arguments["key"]):
                raise RefusedError(str(fault.get("message", LOCKED)), int(fault.get("status", 400)))
            return edit(info, **arguments)

        return resolve

    def _is_refused(self, fault: Fault, key: str) -> bool:
        if "keys" in fault:
            return key in fault["keys"]
        share = float(fault.get("share", 1))
        self._seen += 1
        return int(self._seen * share) > int((self._seen - 1) * share)
