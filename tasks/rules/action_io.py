"""What a person gives to an action and sees of its answer: external data as JSON, the answer as table rows.

The answer itself stays whole in a file; the table shows its first records and of each the members that a
person looks for first. Text is made literal, since the Prefect UI takes every text of a table as Markdown.
External data is JSON text, or the path of a JSON file.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from tasks.rules.isolation import convert_all_or, problem_words
from tasks.rules.text import AddressOf, escape, linked

SHOWN_ROWS = 200
SHOWN_COLUMNS = 10
CELL_LENGTH = 80
FIRST_COLUMNS = "list id key identifier name description caption company type status"
"""Shown before the others, where a record has them."""
_HIDDEN = frozenset({"_info"})
_NAMES = ("name", "identifier", "description", "caption", "id")

Row = dict[str, str | int | float | bool]

LARGEST_BYTES = 400_000
"""Prefect records parameters and refuses more than 512 KiB of them."""


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """``rows`` all have the same columns; ``total`` counts the records, ``columns`` those that they have."""

    rows: list[Row]
    total: int
    columns: int

    @property
    def hidden_columns(self) -> int:
        return self.columns - (len(self.rows[0]) if self.rows else 0)


def as_json(answer: Any) -> Any:
    """The answer as JSON can hold it: dataclasses become objects."""
    if is_dataclass(answer) and not isinstance(answer, type):
        return asdict(answer)
    if isinstance(answer, Mapping):
        return {str(name): as_json(value) for name, value in answer.items()}
    if isinstance(answer, Sequence) and not isinstance(answer, (str, bytes)):
        return [as_json(each) for each in answer]
    return answer


def answer_records(answer: Any) -> list[dict[str, Any]]:
    """The records of a plain answer: a list of them, one alone, or several named lists.

    Of named lists, as Match Configurations answers, each record gets its list's name as member ``list``.
    """
    if isinstance(answer, Mapping):
        if answer and all(isinstance(each, list) for each in answer.values()):
            return [
                {"list": name, **each}
                for name, listed in answer.items()
                for each in listed
                if isinstance(each, Mapping)
            ]
        return [dict(answer)]
    if isinstance(answer, list):
        return [dict(each) if isinstance(each, Mapping) else {"value": each} for each in answer]
    return [] if answer is None else [{"value": answer}]


def answer_table(answer: Any, link: AddressOf | None = None) -> AnswerTable:
    """The first 200 records of a plain answer, at most ten columns of each.

    Args:
        link: the address of a record's page by its id, where the vendor has such pages; a record with an
            address of its own (member ``url``) is linked to that.
    """
    records = answer_records(answer)
    shown = records[:SHOWN_ROWS]
    columns = _columns(shown)
    chosen = columns[:SHOWN_COLUMNS]
    rows = convert_all_or(shown, lambda each: _row(each, chosen, link), partial(_unshown_row, chosen))
    return AnswerTable(rows, len(records), len(columns))


def _unshown_row(columns: Sequence[str], record: Mapping[str, Any], error: Exception) -> Row:
    return {columns[0]: escape(f"can't be shown: {problem_words(error)}")}


def _columns(records: Iterable[Mapping[str, Any]]) -> list[str]:
    found = dict.fromkeys(name for each in records for name in each if name not in _HIDDEN)
    first = [name for name in FIRST_COLUMNS.split() if name in found]
    return [*first, *(name for name in found if name not in first)]


def _row(record: Mapping[str, Any], columns: Sequence[str], link: AddressOf | None) -> Row:
    row = {name: _shown(record.get(name)) for name in columns}
    address = _address(record, link)
    linkable = next((name for name in ("name", "id", "key") if row.get(name) not in (None, "")), None)
    if address and linkable:
        row[linkable] = linked(_text(record[linkable]), address, CELL_LENGTH)
    return row


def _address(record: Mapping[str, Any], link: AddressOf | None) -> str | None:
    own = record.get("url")
    if own and isinstance(own, str):
        return own
    return link(record["id"]) if link and isinstance(record.get("id"), int) else None


def _shown(value: Any) -> str | int | float | bool:
    if isinstance(value, (bool, int, float)):
        return value
    text = _text(value)
    return escape(text if len(text) <= CELL_LENGTH else text[: CELL_LENGTH - 1] + "…") if text else ""


def _text(value: Any) -> str:
    """A reference shows as its name, other objects as their members, lists as their items."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        named = next((value[name] for name in _NAMES if value.get(name) not in (None, "")), None)
        if named is not None and not isinstance(named, (Mapping, list)):
            return str(named)
        parts = [(name, _text(each)) for name, each in value.items() if name not in _HIDDEN]
        return ", ".join(f"{name}: {text}" for name, text in parts if text)
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))
    return str(value)


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
