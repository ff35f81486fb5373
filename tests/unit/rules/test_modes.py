"""The mode of a run, and the switch ``dry_run`` of earlier versions that callers still give."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.modes import PlanOrApply, RunMode, RunModeError, plans_only, with_mode


@pytest.mark.parametrize("form", [AssetSynchronizationSettings, EnrichmentSettings])
def test_the_earlier_switch_is_taken_and_is_not_in_the_form(form: Any) -> None:
    assert form(company="A").mode == "plan"
    assert form(company="A").dry_run is True
    assert form.model_validate({"dry_run": True}).mode == "plan"
    assert form.model_validate({"dry_run": False}).mode == "apply"
    assert form.model_validate({"dry_run": False}).dry_run is False
    assert "dry_run" not in form.model_json_schema()["properties"]
    assert "dry_run" not in form().model_dump()


@pytest.mark.parametrize("given", [False, "false", "False", 0, "no", "off"])
def test_only_what_is_clearly_off_writes(given: Any) -> None:
    assert with_mode({"dry_run": given}) == {"mode": "apply"}


@pytest.mark.parametrize("given", [True, "true", 1, None, "", "nonsense", []])
def test_everything_else_plans(given: Any) -> None:
    assert with_mode({"dry_run": given}) == {"mode": "plan"}


@pytest.mark.parametrize(("mode", "dry_run"), [("plan", False), ("apply", True), ("review", True)])
def test_words_that_contradict_each_other_are_refused(mode: str, dry_run: bool) -> None:
    with pytest.raises(RunModeError, match="leave out dry_run"):
        with_mode({"mode": mode, "dry_run": dry_run})
    with pytest.raises(ValidationError, match="leave out dry_run"):
        AssetSynchronizationSettings.model_validate({"mode": mode, "dry_run": dry_run})


@pytest.mark.parametrize(
    ("mode", "dry_run", "planned"),
    [
        (None, None, True),
        (None, True, True),
        (None, False, False),
        (PlanOrApply.PLAN, None, True),
        (PlanOrApply.APPLY, None, False),
        (PlanOrApply.APPLY, False, False),
        # A caller of before, against the deployment's default.
        (PlanOrApply.APPLY, True, True),
        (PlanOrApply.PLAN, True, True),
    ],
)
def test_inputs_of_a_flow_without_settings(
    mode: PlanOrApply | None, dry_run: bool | None, planned: bool
) -> None:
    assert plans_only(mode, dry_run) is planned


def test_a_mode_that_plans_is_never_overruled() -> None:
    with pytest.raises(RunModeError):
        plans_only(PlanOrApply.PLAN, dry_run=False)


def test_words_that_agree_are_taken() -> None:
    assert with_mode({"mode": "review", "dry_run": False, "a": 1}) == {"mode": RunMode.REVIEW, "a": 1}


def test_a_review_waits_for_two_weeks_at_most() -> None:
    with pytest.raises(ValidationError):
        AssetSynchronizationSettings(review_hours=24 * 14 + 1)
    with pytest.raises(ValidationError):
        AssetSynchronizationSettings(review_hours=0)
