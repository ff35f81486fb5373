"""The ceilings: a plan that changes or creates an implausible share is refused with the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.rules.plan import Modification, Plan
from tasks.rules.targets import CUSTOM_FIELD_PREFIX
from tasks.rules.wording import counted

_OWN_FIELDS = CUSTOM_FIELD_PREFIX + "ls_"


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Shares (0.30 is 30 %) of the company's existing configurations.

    Up to ``minimum`` existing configurations, or with None for a share, nothing is refused.
    """

    modified: float | None = 0.30
    created: float | None = 0.30
    minimum: int = 20


def check_ceilings(
    plan: Plan, existing: int, any_linked: bool, ceilings: Ceilings | None = None
) -> list[str]:
    """What exceeds a ceiling, with the numbers in words; an empty list lets the run go on.

    Args:
        plan: the whole plan.
        existing: configurations of the run's company, inactive ones included.
        any_linked: whether any of them has ``ls_asset_id``: without one this is a first load, whose
            creations are not limited. Changes to only ``ls_*`` custom fields are never counted.
        ceilings: the default is 30 % each above 20 existing configurations.
    """
    limits = ceilings or Ceilings()
    if existing <= limits.minimum:
        return []
    modified = sum(not only_own_fields(each) for each in plan.modifications)
    checks: Sequence[tuple[str, int, float | None]] = (
        ("modify", modified, limits.modified),
        ("create", len(plan.creations) if any_linked else 0, limits.created),
    )
    return [
        f"The plan would {verb} {counted(count, 'configuration')}, {_percent(count / existing)} of the "
        f"{existing:,} that the company has; the ceiling is {_percent(share)}."
        for verb, count, share in checks
        if share is not None and count > share * existing
    ]


def only_own_fields(modification: Modification) -> bool:
    """Whether it changes nothing but the integration's own ``ls_*`` custom fields."""
    own = all(change.field.startswith(_OWN_FIELDS) for change in modification.changes)
    return own and modification.type_change is None


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
