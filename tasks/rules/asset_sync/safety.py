"""What a plan costs and whether it is plausible: predicted requests and safety thresholds.

A plan that modifies or creates an implausible share of the company's configurations is refused with the
numbers. The prediction is exact for a calm run: no retry, no conflict, no unclear outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tasks.rules.bulk import MAX_BATCH, batch_count
from tasks.rules.text import counted


class SafetyThresholds(BaseModel):
    """How much one run may change before it refuses, as shares of the company's configurations."""

    model_config = ConfigDict(extra="forbid")

    modified: float = Field(
        default=0.30,
        ge=0,
        le=1,
        title="Modified share",
        description="0.3 is 30 %. Changes of only ls_ fields do not count.",
    )
    created: float = Field(
        default=0.30,
        ge=0,
        title="Created share",
        description="0.3 is 30 %. Not applied while no configuration is linked to an asset.",
    )
    minimum: int = Field(
        default=20,
        ge=0,
        title="Existing configurations",
        description="Only companies with more configurations than this have ceilings.",
    )
    go_on: bool = Field(
        default=False,
        title="Go on over a ceiling",
        description="Set it for one run, after you have read the plan that was refused.",
    )


def over_thresholds(*, modified: int, created: int, existing: int, thresholds: SafetyThresholds) -> list[str]:
    """A sentence for each number that is above its share of the ``existing`` configurations."""
    if existing <= thresholds.minimum:
        return []
    return [
        f"The plan would {verb} {counted(count, 'configuration')}, {_percent(count / existing)} of the "
        f"{existing:,} that the company has; the ceiling is {_percent(share)}."
        for verb, count, share in (
            ("modify", modified, thresholds.modified),
            ("create", created, thresholds.created),
        )
        if count > share * existing
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"


class WriteMode(StrEnum):
    """How existing configurations are changed: bulk PUT in batches, or one PATCH a record."""

    BULK = "bulk"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Requests to ConnectWise by purpose. ``reads_done`` were made before the plan was."""

    reads_done: int
    reference_creations: int
    creation_batches: int
    duplicate_check: int
    rereads: int
    modification_writes: int
    canary_read: int
    type_changes: int

    @property
    def writes(self) -> int:
        return self.reference_creations + self.creation_batches + self.modification_writes + self.type_changes

    @property
    def total(self) -> int:
        """All requests of the run, those before the plan included."""
        return self.reads_done + self.writes + self.duplicate_check + self.rereads + self.canary_read


def predict_requests(
    *,
    reads_done: int,
    reference_creations: int,
    creations: int,
    modifications: int,
    type_changes: int,
    batch_size: int = MAX_BATCH,
    mode: WriteMode = WriteMode.BULK,
) -> Prediction:
    """Count the requests.

    Every batch of modifications is read again right before it is written, in both modes; the first bulk PUT
    is read once more after it (the canary); each type change is preceded by a read of its record; one count
    request at the end looks for duplicates if anything was created. ``modifications`` leaves out the assets
    of which only the type changes.
    """
    changed_batches = batch_count(modifications, batch_size)
    bulk = mode is WriteMode.BULK
    return Prediction(
        reads_done=reads_done,
        reference_creations=reference_creations,
        creation_batches=batch_count(creations, batch_size),
        duplicate_check=int(creations > 0),
        rereads=changed_batches + type_changes,
        modification_writes=changed_batches if bulk else modifications,
        canary_read=int(bulk and modifications > 0),
        type_changes=type_changes,
    )
