"""The documented action Edit Asset."""

from __future__ import annotations

from typing import Any

from tasks.rules.lansweeper_input import asset_edit
from tasks.rules.limits import check_required
from tasks.shared.action import action
from tasks.shared.connections import lansweeper_client


@action("Edit Asset", key="editAssetAction")
async def edit_asset(
    connection: str,
    asset_key: str,
    custom_fields: dict[str, Any] | None = None,
    fields: dict[str, Any] | None = None,
    allow_locking: bool = False,
    site_id: str = "",
) -> dict[str, Any]:
    """Write fields of one Lansweeper asset and answer its key, name and custom fields after the edit.

    What is not named stays as it is.

    Args:
        connection: name of the Lansweeper Connection block.
        asset_key: key of the asset, such as ``0f5ac0be-93e3-3a9d-8fcb-02904d4f42d8``.
        custom_fields: name or key of each custom field with its text or number; empty text clears it.
        fields: other fields by section of EditAssetInput.
        allow_locking: write fields that Lansweeper's scan fills, too; later scans no longer change those.
        site_id: the site; empty for the site of the connection.

    Raises:
        LimitError: a field is not known, or a scan owns it; nothing was written.
        RejectedError: Lansweeper refuses it, for instance since there is no such asset.
        StopError: the token or its role may not edit assets.
    """
    key = check_required("Asset Key", asset_key)
    async with lansweeper_client(connection) as client:
        site = site_id or (await client.site())["id"]
        existing = await client.custom_fields(site) if custom_fields else []
        edit = asset_edit(custom_fields or {}, fields or {}, existing, allow_locking=allow_locking)
        return {"key": key, **await client.edit_asset(site, key, edit)}
