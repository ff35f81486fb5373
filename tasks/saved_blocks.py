"""Which blocks of a kind are saved, by name."""

from __future__ import annotations

from http import HTTPStatus

from prefect import get_client
from prefect.blocks.core import Block
from prefect.exceptions import PrefectHTTPStatusError


async def saved_block_names(kind: type[Block]) -> list[str]:
    """The names of all saved blocks of that kind, in alphabetic order; none if the kind is not registered."""
    async with get_client() as client:
        try:
            documents = await client.read_block_documents_by_type(
                kind.get_block_type_slug(), include_secrets=False
            )
        except PrefectHTTPStatusError as error:
            if error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
            return []
    return sorted(each.name for each in documents if each.name)
