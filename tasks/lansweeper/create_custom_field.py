"""The documented action Create Custom Field."""

from __future__ import annotations

from typing import Any

from tasks.rules.lansweeper_input import FieldType, checked_props
from tasks.rules.limits import check_required
from tasks.shared.action import action
from tasks.shared.connections import lansweeper_client


@action("Create Custom Field", key="createCustomFieldAction")
async def create_custom_field(
    connection: str,
    name: str,
    type: FieldType = "INPUT",
    props: dict[str, Any] | None = None,
    site_id: str = "",
) -> dict[str, Any]:
    """Create a custom field in Lansweeper and answer it with its key.

    Lansweeper makes a second field of a name that exists, and neither name nor type can be changed later.

    Args:
        connection: name of the Lansweeper Connection block.
        name: name of the custom field, such as ``cw_sla``.
        type: what it holds.
        props: ``options`` of a SELECT, ``currencyType`` of a CURRENCY, ``linkTag`` of a HYPERLINK,
            ``minNumericValue`` and ``maxNumericValue`` of a NUMERIC field.
        site_id: the site; empty for the site of the connection.

    Raises:
        LimitError: an input is refused before any request is sent.
        RejectedError: Lansweeper refuses it.
        UnclearOutcomeError: no answer came; look whether it exists before you create it again.
    """
    name, checked = check_required("Name", name), checked_props(type, props)
    async with lansweeper_client(connection) as client:
        site = site_id or (await client.site())["id"]
        return dict(await client.create_custom_field(site, name, type, checked))
