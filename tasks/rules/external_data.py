"""An inventory that a person hands to an action: JSON, or the path of a JSON file."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import orjson

LARGEST_BYTES = 400_000
"""Prefect records parameters and refuses more than 512 KiB of them."""


class ExternalDataError(ValueError):
    """The data can't be read as an array of objects; the text says what is wrong and the remedy."""


def read_objects(what: str, data: Any) -> list[dict[str, Any]]:
    """The array of objects: given as such, as JSON text, or as the path of a file that holds it.

    A file may be of any size and begin with a byte order mark; what is given itself has at most 400 KB. A
    single object counts as an array of one.

    Raises:
        ExternalDataError: it is too large, no JSON, or no array of objects.
    """
    objects = _read_text(what, data) if isinstance(data, str | Path) else _checked_size(what, data)
    if isinstance(objects, dict):
        objects = [objects]
    if not isinstance(objects, list | tuple) or not all(isinstance(each, dict) for each in objects):
        raise ExternalDataError(
            f"{what} is no array of objects. Give [{{...}}, {{...}}] or the path of such a file."
        )
    return list(objects)


def _checked_size(what: str, data: Any) -> Any:
    try:
        size = len(orjson.dumps(data))
    except TypeError as error:
        raise ExternalDataError(f"{what} holds something that is not JSON: {error}.") from None
    _refuse_large(what, size)
    return data


def _refuse_large(what: str, size: int) -> None:
    if size > LARGEST_BYTES:
        raise ExternalDataError(f"{what} is larger than 400 KB. Save it as a file and give the file's path.")


def _read_text(what: str, data: str | Path) -> Any:
    text = str(data).strip().removeprefix("\ufeff")
    if text.startswith(("[", "{")) and not isinstance(data, Path):
        content = text.encode("utf-8", "surrogatepass")
        _refuse_large(what, len(content))
    else:
        content = _file_content(what, text)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ExternalDataError(f"{what} is not valid JSON: {error}.") from None


def _file_content(what: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
    except PermissionError:
        raise ExternalDataError(f"{what}: the file {path[:100]!r} may not be read by this process.") from None
    except (OSError, ValueError):
        raise ExternalDataError(
            f"{what} is neither JSON nor the path of a file: {path[:100]!r}. "
            "Give [{...}, {...}] or the path of such a file on the machine that runs the flow."
        ) from None
