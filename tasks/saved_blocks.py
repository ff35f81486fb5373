"""Which blocks of a kind are saved, by name."""

from __future__ import annotations

from prefect import get_client
from prefect.blocks.core import Block


async def saved_block_names(kind: type[Block]) -> list[str]:
    """The names of all saved blocks of that kind, in alphabetic order; none if the kind is not registered."""
    async with get_client() as client:
        documents = await client.read_block_documents_by_type(
            kind.get_block_type_slug(), include_secrets=False
        )
    return sorted(each.name for each in documents if each.name)
