"""The checksum of a plan: one hash over everything that would be written, the same for any order of input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tasks.rules.isolation import convert_all_or
from tasks.rules.values import FieldChange

CreatedRecord = tuple[str, Sequence[Any]]
"""Key of the asset, and the values that its configuration is created with."""
ChangedRecord = tuple[str, int, Sequence[FieldChange]]
"""Key of the asset, id of the configuration, and what is changed of it."""


def checksum_of(
    references: Mapping[str, list[str]],
    paths: Sequence[str],
    creations: Sequence[CreatedRecord],
    modifications: Sequence[ChangedRecord],
) -> str:
    """16 hex digits over the records that a plan creates and changes."""
    head = json.dumps({"references": references, "fields": paths}, sort_keys=True)
    written = convert_all_or(creations, _digest, _indigestible)
    changed = convert_all_or(modifications, _written, _indigestible)
    whole = [head.encode(), b"creations", *sorted(written), b"modifications", *sorted(changed)]
    return hashlib.sha256(b"".join(whole)).hexdigest()[:16]


def _digest(values: Sequence[Any]) -> bytes:
    """Stands for one record, so that the texts of a hundred thousand never exist at once."""
    try:
        text = orjson.dumps(values, default=str)
    except TypeError:
        # Half an emoji, or a number of more than 64 bits.
        text = str(values).encode(errors="surrogatepass")
    return hashlib.sha256(text).digest()


def _indigestible(record: CreatedRecord | ChangedRecord, error: Exception) -> bytes:
    """Of a record whose values have no text: its key; the run goes on without them."""
    return _digest([record[0], type(error).__name__])


def _written(record: ChangedRecord) -> bytes:
    key, number, changes = record
    return _digest(
        [number, key, sorted([each.field, str(each.current), str(each.wanted)] for each in changes)]
    )
