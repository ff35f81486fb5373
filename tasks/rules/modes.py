"""How far a writing run goes: it shows its plan, lets a person review it, or writes at once.

Earlier versions had a switch ``dry_run``. Deployments, schedules and callers of those go on working: on is
``plan``, off is ``apply``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

MODE, DRY_RUN = "mode", "dry_run"
"""The setting, and the switch of earlier versions that it took the place of."""


class RunMode(StrEnum):
    """What a run does with its plan."""

    PLAN = "plan"
    REVIEW = "review"
    APPLY = "apply"


class PlanOrApply(StrEnum):
    """What a run does with its plan, where nobody is asked in between."""

    PLAN = "plan"
    APPLY = "apply"


class RunModeError(ValueError):
    """``mode`` and ``dry_run`` are both given, and say different things."""


def with_mode(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with ``mode`` in place of ``dry_run``; without ``dry_run`` as they are.

    Raises:
        RunModeError: both are given and contradict each other.
    """
    if DRY_RUN not in values:
        return dict(values)
    others = {name: value for name, value in values.items() if name != DRY_RUN}
    dry_run = _switch(values[DRY_RUN])
    mode = others.setdefault(MODE, RunMode.PLAN if dry_run else RunMode.APPLY)
    if (mode == RunMode.PLAN) != dry_run:
        raise RunModeError(
            f"mode is {mode} and dry_run is {str(dry_run).lower()}: leave out dry_run, an older word for mode"
        )
    return others


def plans_only(mode: PlanOrApply | None, dry_run: bool | None) -> bool:
    """Whether a run only shows its plan, by ``mode`` and the ``dry_run`` of an earlier caller.

    ``dry_run`` plans whatever the mode is, which may be a deployment's default.

    Raises:
        RunModeError: the mode is to plan, and ``dry_run`` is off.
    """
    if dry_run or (mode is None and dry_run is None):
        return True
    given = {MODE: mode, DRY_RUN: dry_run}
    found = with_mode({name: value for name, value in given.items() if value is not None})
    return bool(found[MODE] == PlanOrApply.PLAN)


def _switch(value: Any) -> bool:
    """Anything that is not clearly off is on: nothing is then written."""
    return not (value is False or str(value).strip().lower() in ("false", "0", "off", "no"))
