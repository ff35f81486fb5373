"""What is kept of an asset and of a configuration while they are matched: only what is mapped.

The wire records are dropped page by page; one of these small records stays of each, so memory grows
with the number of mapped fields and not with the vendors' records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class AssetRecord:
    """A Lansweeper asset. ``wanted`` holds one value per field of the compiled mapping, in its order."""

    key: str
    name: str | None
    serial: str | None
    mac: str | None
    wanted: tuple[Any, ...]


@dataclass(slots=True)
class ConfigurationRecord:
    """A ConnectWise configuration. ``current`` holds one value per field of the compiled mapping.

    References are held by name (``type.name``), custom fields by value; ``asset_key`` is ``ls_asset_id``.
    """

    id: int
    name: str | None
    asset_key: str | None
    serial: str | None
    mac: str | None
    active: bool
    current: tuple[Any, ...]


@dataclass(slots=True)
class FieldChange:
    """One mapped field whose values differ; ``field`` is the ConnectWise path of the mapping.

    Not frozen, as there is one of each value that is written and a frozen one takes three times as long.
    """

    field: str
    current: Any
    wanted: Any
