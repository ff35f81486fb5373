"""Our job templates beside those of the packages whose workers fill them in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from deployments.work_pool import base_job_template

OURS = {"kubernetes": {"secret", "answers_claim"}, "docker": set[str]()}
"""Variables that we add."""


AUTH = "admin:the-auth-string"


def package_of(kind: str) -> Any:
    return pytest.importorskip(f"prefect_{kind}.worker", reason=f"install the extra {kind!r}")


def default_template(kind: str) -> dict[str, Any]:
    package = package_of(kind)
    found: dict[str, Any] = getattr(package, f"{kind.title()}Worker").get_default_base_job_template()
    return found


@pytest.mark.parametrize("kind", OURS)
def test_a_template_has_every_variable_of_the_packages_own(kind: str) -> None:
    ours, theirs = (
        each["variables"]["properties"] for each in (base_job_template(kind, {}), default_template(kind))
    )
    assert set(ours) == set(theirs) | OURS[kind]
    without_default = {name: {k: v for k, v in each.items() if k != "default"} for name, each in ours.items()}
    for name, each in theirs.items():
        assert without_default[name] == {k: v for k, v in each.items() if k != "default"}, name


@pytest.mark.parametrize("kind", OURS)
def test_a_template_fills_in_all_that_the_packages_own_does(kind: str) -> None:
    ours, theirs = (
        each["job_configuration"] for each in (base_job_template(kind, {}), default_template(kind))
    )
    assert ours.keys() == theirs.keys()
    assert {name: each for name, each in ours.items() if name != "job_manifest"} == {
        name: each for name, each in theirs.items() if name != "job_manifest"
    }


@pytest.mark.anyio
@pytest.mark.parametrize("kind", OURS)
async def test_a_worker_hands_its_auth_string_to_no_job(kind: str) -> None:
    """The run reads it from its file; what the job says can be read by whoever may look at jobs."""
    configuration = getattr(package_of(kind), f"{kind.title()}WorkerJobConfiguration")
    with temporary_settings({PREFECT_API_AUTH_STRING: AUTH, PREFECT_API_URL: "http://server:4200/api"}):
        made = await configuration.from_template_and_values(base_job_template(kind, {}), {})
        made.prepare_for_flow_run(FlowRun(id=uuid4(), flow_id=uuid4(), name="red-turtle"))
    assert AUTH not in made.model_dump_json()
    assert "http://server:4200/api" in made.model_dump_json()
    if kind == "kubernetes":
        validator = pytest.importorskip("kubernetes_validate", reason="install the extra 'dev'")
        validator.validate(made.job_manifest, "1.37", strict=True)
