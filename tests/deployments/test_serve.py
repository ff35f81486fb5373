"""Without a worker the same deployments are served, with their schedules as prefect.yaml has them."""

from __future__ import annotations

from pathlib import Path

import yaml

from deployments.serve import served_deployments

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_deployment_is_served_as_the_file_has_it() -> None:
    entries = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    served = served_deployments()
    assert [each.name for each in served] == [each["name"] for each in entries]
    for made, entry in zip(served, entries, strict=True):
        assert made.entrypoint == entry["entrypoint"]
        assert made.work_pool_name is None
        assert made.enforce_parameter_schema == entry.get("enforce_parameter_schema", True)
        active = [each["active"] for each in entry.get("schedules", [])]
        assert [each.active for each in made.schedules or []] == active
