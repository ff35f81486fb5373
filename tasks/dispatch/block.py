"""The block that keeps the rules of dispatch, so that every flow and the receiver's drain share them."""

from __future__ import annotations

from typing import cast

from prefect.blocks.core import Block
from pydantic import Field

from tasks.connections import DEFAULT
from tasks.dispatch.settings import DispatchSettings


class DispatchRules(Block):
    """Which ConnectWise records become Field Nation work orders, how, and what comes back. Holds no secret.

    Example:
        Load the saved rules:
        ```python
        from tasks.dispatch.block import DispatchRules

        rules = await DispatchRules.aload("BLOCK_NAME")
        print(rules.rules.create_state)
        ```
    """

    _block_type_name = "Dispatch Rules"
    _block_type_slug = "dispatch-rules"
    _description = "Triggers, mappings and outbound events between ConnectWise PSA and Field Nation."

    rules: DispatchSettings = Field(
        default_factory=DispatchSettings,
        title="Rules",
        description="Triggers, mappings, outbound events, notes and waiting times.",
    )


async def load_dispatch_settings(name: str = DEFAULT) -> DispatchSettings:
    """The saved rules of that name; without a block named ``default``, the documented defaults.

    Raises:
        ValueError: there is no block of that other name.
    """
    try:
        return cast(DispatchRules, await DispatchRules.aload(name)).rules
    except ValueError:
        if name != DEFAULT:
            raise
        return DispatchSettings()
