"""An inventory that a person hands to an action: JSON, or the path of a JSON file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

LARGEST_BYTES = 400_000
"""Prefect records parameters and refuses more than 512 KiB of them."""


class ExternalDataError(ValueError):
    """The data can't be read as an array of objects; the text says what is wrong and the remedy."""


def read_objects(what: str, data: Any) -> list[dict[str, Any]]:
    """The array of objects: given as such, as JSON text, or as the path of a file that holds it.

    Raises:
        ExternalDataError: it is too large, no JSON, or no array of objects.
    """
    if isinstance(data, str):
        data = _parse(what, _text_of(what, data))
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, Sequence) or not all(isinstance(each, dict) for each in data):
        raise ExternalDataError(
            f"{what} is no array of objects. Give [{{...}}, {{...}}] or the path of such a file."
        )
    return list(data)


def _text_of(what: str, text: str) -> bytes:
    if text.lstrip().startswith(("[", "{")):
        if len(text.encode()) > LARGEST_BYTES:
            raise ExternalDataError(
                f"{what} is larger than 400 KB. Save it as a file and give the file's path."
            )
        return text.encode()
    path = Path(text.strip())
    if not path.is_file():
        raise ExternalDataError(f"{what} is neither JSON nor the path of a file: {text.strip()[:100]!r}.")
    return path.read_bytes()


def _parse(what: str, content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ExternalDataError(f"{what} is not valid JSON: {error}.") from None
