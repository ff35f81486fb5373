"""The built wheel is whole and works outside any checkout; what stands before our packages is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from pathlib import Path

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from connectors.installation import PACKAGES, ShadowedPackageError, check_files, check_packages
from deployments import DEPLOYMENTS, ROOT
from deployments.block_types import BLOCK_TYPES
from deployments.local.prefect import LocalPrefect

SOURCES = (*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "prefect.yaml")
DATA = (
    "deployments/prefect.yaml",
    "deployments/compose/compose.yaml",
    "deployments/compose/Dockerfile",
    "deployments/systemd/connectwise-flows-worker@.service",
    "deployments/from_files.sh",
    "deployments/observability/alerts.yaml",
    "deployments/observability/dashboard.json",
    "deployments/kubernetes/worker.yaml",
    "deployments/work_pools/kubernetes.json",
    "connectors/ledger/migrations/script.py.mako",
    "tasks/rules/mapping/fillers.toml",
    *(f"{name}/py.typed" for name in PACKAGES),
)
SECRETS = "deployments/compose/secrets"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with what pip installs of the wheel, built from a copy: a build writes beside its sources."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    copy.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "secrets"))
        else:
            shutil.copy(ROOT / name, copy / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    built = [*pip, "--no-build-isolation", "--target", str(folder / "site"), str(copy)]
    subprocess.run(built, check=True, cwd=folder)
    yield folder / "site"
    shutil.rmtree(folder)


def run(site: Path, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python in another folder, with the installed packages before those of the checkout."""
    environment = os.environ | {"PYTHONPATH": str(site)} | variables
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )


def test_the_wheel_has_every_file_that_is_not_a_module(site: Path) -> None:
    assert [name for name in DATA if not (site / name).is_file()] == []
    assert len(list((site / "connectors/ledger/migrations/versions").glob("*.py"))) >= 9
    assert not list(site.rglob("secrets/*"))
    assert (site / "deployments/prefect.yaml").read_bytes() == (ROOT / "prefect.yaml").read_bytes()


def test_the_wheel_names_its_blocks_to_prefect(site: Path, tmp_path: Path) -> None:
    """A server loads the entry point when it starts; tests/deployments/test_fresh_install.py starts one."""
    program = (
        "from prefect.plugins import load_prefect_collections as load; "
        "print(len(load()['connectwise_flows'].BLOCK_TYPES))"
    )
    done = run(site, tmp_path, "-c", program)
    assert done.stdout.strip() == str(len(BLOCK_TYPES)), done.stdout + done.stderr


def test_commands_start_outside_any_checkout(site: Path, tmp_path: Path) -> None:
    program = (
        "import flows, tasks, deployments; from deployments.serve import served_deployments; "
        "print(deployments.ROOT, deployments.WORK, len(served_deployments()))"
    )
    done = run(site, tmp_path, "-c", program)
    number = len(yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))["deployments"])
    assert done.stdout.split() == [str(site), str(tmp_path), str(number)], done.stderr
    assert run(site, tmp_path, "-m", "sandbox", "--help").returncode == 0


def test_the_console_command_works_outside_any_checkout(site: Path, tmp_path: Path) -> None:
    (script,) = (site / "bin").glob("connectwise-flows")
    (tmp_path / "tasks.py").write_text("", encoding="utf-8")
    told = run(site, tmp_path, str(script), "--help", XDG_DATA_HOME=str(tmp_path / "data"))
    assert (told.returncode, "Commands:" in told.stdout) == (0, True), told.stderr
    program = (
        "import deployments, deployments.local.running as r; print(deployments.BUILD, r.home_folder({}))"
    )
    (tmp_path / "tasks.py").unlink()
    places = run(site, tmp_path, "-c", program, XDG_DATA_HOME=str(tmp_path / "data"))
    ours = tmp_path / "data" / "connectwise-flows"
    assert places.stdout.split() == [str(ours), str(ours / "up")], places.stderr
    needs = run(site, tmp_path, str(script), "fuzz")
    assert (needs.returncode, "checkout" in needs.stderr) == (2, True)


def test_another_module_of_our_name_is_named_before_anything_is_done(site: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("", encoding="utf-8")
    done = run(site, tmp_path, "-c", "import flows.asset_synchronization")
    assert f"Python finds 'tasks' in {tmp_path / 'tasks.py'}" in done.stderr
    assert "Rename or move that one" in done.stderr


def test_a_file_that_another_distribution_has_written_over_is_named(site: Path, tmp_path: Path) -> None:
    record = next(site.glob("connectwise_flows-*.dist-info"))
    check_files(PathDistribution(record))
    shutil.copytree(record, tmp_path / record.name)
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        shutil.copy(site / name / "__init__.py", tmp_path / name / "__init__.py")
    check_files(PathDistribution(tmp_path / record.name))
    (tmp_path / "tasks/__init__.py").write_text("from invoke import task", encoding="utf-8")
    with pytest.raises(ShadowedPackageError, match="written over"):
        check_files(PathDistribution(tmp_path / record.name))


def test_our_own_packages_are_no_strangers(tmp_path: Path) -> None:
    check_packages()
    with pytest.raises(ShadowedPackageError, match="connectors"):
        check_packages(tmp_path)


def test_a_deployment_names_no_folder() -> None:
    described = yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))
    assert described["pull"] == []
    assert not [each["name"] for each in described["deployments"] if "/" in each["entrypoint"]]


@pytest.mark.slow
@pytest.mark.prefect
def test_a_worker_runs_the_flows_wherever_they_lie(
    site: Path, tmp_path: Path, prefect_server: LocalPrefect
) -> None:
    """Deployed from one folder, which is gone when the run starts in another."""
    first, second, elsewhere = (tmp_path / name for name in ("first", "second", "elsewhere"))
    shutil.copytree(site, first)
    elsewhere.mkdir()
    prefect = {name: value for name, value in prefect_server.environment.items() if "PREFECT" in name}
    done = run(first, elsewhere, "-m", "deployments.bootstrap", **prefect)
    assert done.returncode == 0, done.stdout + done.stderr
    first.rename(second)
    with httpx.Client(base_url=prefect_server.api_url, timeout=60) as client:
        deployments = client.post("/deployments/filter", json={"limit": 200}).raise_for_status().json()
        assert not [each["name"] for each in deployments if each["pull_steps"] or each["path"]]
        deployment = next(each for each in deployments if each["name"] == "refresh-choices")
        made = client.post(f"/deployments/{deployment['id']}/create_flow_run", json={})
        run_id = made.raise_for_status().json()["id"]
        options = ["--pool", "connectwise", "--type", "process", "--run-once"]
        done = run(second, elsewhere, "-m", "prefect", "worker", "start", *options, **prefect)
        state = client.get(f"/flow_runs/{run_id}").raise_for_status().json()["state"]
    assert state["type"] == "COMPLETED", (state, done.stdout + done.stderr)
