"""The plan of a run as a value: what will be created, changed and left alone, before anything is written.

``planning.py`` makes it, ``plan_text.py`` shows it, ``ceilings.py`` refuses an implausible one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from tasks.rules.counts import Counts
from tasks.rules.matching import Ambiguous
from tasks.rules.plan_warnings import PlanWarning
from tasks.rules.predictions import Prediction
from tasks.rules.records import AssetRecord, ConfigurationRecord, FieldChange


@dataclass(frozen=True, slots=True)
class Creation:
    """An asset that becomes a new configuration; ``warnings`` say which values are left out, and why."""

    asset: AssetRecord
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name that the configuration gets."""
        return self.asset.name or self.asset.key


@dataclass(frozen=True, slots=True)
class Modification:
    """A configuration that differs from its asset. ``type_change`` is its own call, never in ``changes``."""

    asset: AssetRecord
    configuration: ConfigurationRecord
    matched_on: str
    changes: tuple[FieldChange, ...]
    type_change: FieldChange | None = None
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name by which a person knows the configuration."""
        return self.configuration.name or self.asset.name or self.asset.key

    @property
    def all_changes(self) -> tuple[FieldChange, ...]:
        """Every field that changes, the type included."""
        return (*self.changes, self.type_change) if self.type_change else self.changes


@dataclass(frozen=True, slots=True)
class Skipped:
    """An asset of which nothing is written, and why."""

    asset: AssetRecord
    reason: str

    @property
    def asset_key(self) -> str:
        """The key by which Lansweeper knows the asset."""
        return self.asset.key

    @property
    def name(self) -> str:
        """The asset's name, empty if it has none."""
        return self.asset.name or ""


@dataclass(slots=True)
class Plan:
    """Everything that a run is going to do. ``reference_creations``: target path -> names, sorted.

    ``orphaned``: configurations whose asset is gone; counted, never changed. ``inactive``: matched
    configurations that are inactive. ``paths`` are the fields of the mapping, in the assets' order.
    """

    counts: Counts
    paths: tuple[str, ...]
    reference_creations: dict[str, list[str]]
    creations: list[Creation]
    modifications: list[Modification]
    ambiguous: list[Ambiguous]
    skipped: list[Skipped]
    orphaned: list[ConfigurationRecord]
    inactive: list[ConfigurationRecord]
    warnings: list[PlanWarning]
    predicted: Prediction

    @property
    def type_changes(self) -> list[Modification]:
        """The modifications whose type changes too: a call each, after the others."""
        return [each for each in self.modifications if each.type_change]

    @property
    def field_modifications(self) -> list[Modification]:
        """The modifications that go into PUT batches or PATCH calls."""
        return [each for each in self.modifications if each.changes]

    @property
    def nothing_to_write(self) -> bool:
        """Whether the run will send no write request at all."""
        return not self.creations and not self.modifications

    @property
    def checksum(self) -> str:
        """16 hex digits over everything that would be written; the same for any order of input."""
        head = json.dumps({"references": self.reference_creations, "fields": self.paths}, sort_keys=True)
        written = [_digest(str([each.asset.key, each.asset.wanted])) for each in self.creations]
        changed = [_digest(_written(each)) for each in self.modifications]
        whole = [head.encode(), b"creations", *sorted(written), b"modifications", *sorted(changed)]
        return hashlib.sha256(b"".join(whole)).hexdigest()[:16]


def _digest(text: str) -> bytes:
    """Stands for one record, so that the texts of a hundred thousand never exist at once."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _written(modification: Modification) -> str:
    """One modification as text: which record, and every field with both its values."""
    changes = sorted([each.field, str(each.current), str(each.wanted)] for each in modification.all_changes)
    return str([modification.configuration.id, modification.asset.key, changes])
