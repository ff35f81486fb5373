"""The compose file and the systemd units, read as files: no engine is needed, and none is started."""

from __future__ import annotations

import configparser
import re
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from connectors.installation import DISK_VARIABLE, PACKAGES
from deployments.environment import CONNECTWISE, LANSWEEPER, LEDGER_URL
from deployments.receiver.settings import USUAL_PORT

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deployments" / "compose"
UNITS = sorted((ROOT / "deployments" / "systemd").glob("*.service"))
INSTALLED_AT = "/opt/connectwise-flows/"
FROM_FILES = (ROOT / "deployments" / "from_files.sh").read_text()
STACK: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
SERVICES: dict[str, Any] = STACK["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
FREE = {"true", "false", "1"}
BY_HAND = {"connectwise_public_key", "connectwise_private_key", "connectwise_client_id"}
"""The vendor's own; only the receiver needs them in files."""


def read_from_files() -> set[str]:
    """The settings that ``from_files.sh`` reads from files."""
    return set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", "\n".join(re.findall(r"(?m)^names=.*$", FROM_FILES))))


def environment_of(unit: Path) -> dict[str, str]:
    lines = re.findall(r"(?m)^Environment=(.*)$", unit.read_text())
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``make_secrets.sh`` writes."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    for _ in range(2):
        subprocess.run(["sh", COMPOSE / "make_secrets.sh", folder], check=True)
    return folder


def test_settings_of_blocks_can_be_given_in_files() -> None:
    secret = {"CONNECTWISE_PUBLIC_KEY", "CONNECTWISE_PRIVATE_KEY", "CONNECTWISE_CLIENT_ID", *LANSWEEPER}
    assert secret | {LEDGER_URL} <= read_from_files()
    assert secret <= {*CONNECTWISE, *LANSWEEPER}


def test_make_secrets_writes_every_secret_once(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert set(before) == set(STACK["secrets"]) - BY_HAND
    subprocess.run(["sh", COMPOSE / "make_secrets.sh", secrets], check=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before


def test_make_secrets_makes_a_key_that_prefect_takes(secrets: Path) -> None:
    key = Fernet((secrets / "encryption_key").read_text().strip())
    assert key.decrypt(key.encrypt(b"secret")) == b"secret"
    password = (secrets / "postgres_password").read_text().strip()
    assert len(password) >= 32
    for name in ("server_database_url", "ledger_url"):
        assert f":{password}@postgres/" in (secrets / name).read_text()


def test_make_secrets_makes_a_webhook_secret_that_field_nation_takes(secrets: Path) -> None:
    assert uuid.UUID((secrets / "webhook_secret").read_text().strip()).version == 4


def test_only_their_owner_reaches_the_secrets(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_secrets_stay_out_of_version_control_and_of_the_image() -> None:
    assert "/secrets/" in (COMPOSE / ".gitignore").read_text().splitlines()
    assert {entry["file"] for entry in STACK["secrets"].values()} == {
        f"./secrets/{name}" for name in STACK["secrets"]
    }
    copied = re.findall(r"(?m)^COPY (.*) \S+$", (COMPOSE / "Dockerfile").read_text())
    assert "deployments" not in " ".join(copied).split()


@pytest.mark.parametrize("name", SERVICES)
def test_service_mounts_the_secrets_that_it_names(name: str) -> None:
    service = SERVICES[name]
    named = {
        *service.get("environment", {}).values(),
        *re.findall(r"/run/secrets/\w+", str(service.get("command"))),
    }
    files = {Path(value).name for value in named if str(value).startswith("/run/secrets/")}
    assert files == set(service.get("secrets", []))
    assert files <= set(STACK["secrets"])


@pytest.mark.parametrize("name", OURS)
def test_settings_named_as_files_are_read_from_files(name: str) -> None:
    named = {each.removesuffix("_FILE") for each in SERVICES[name]["environment"] if each.endswith("_FILE")}
    assert named <= read_from_files()
    assert not read_from_files() & set(SERVICES[name]["environment"]), "a secret stands in the compose file"


def test_servers_get_the_encryption_key_and_nobody_else() -> None:
    with_key = {name for name in OURS if "encryption_key" in SERVICES[name]["secrets"]}
    assert with_key == {"migrate", "server", "background"}


def test_clients_speak_to_the_balancer_and_every_server_shares_leases_and_events() -> None:
    port = SERVICES["balancer"]["environment"]["BIND"].removeprefix(":")
    addresses = {SERVICES[name]["environment"].get("PREFECT_API_URL") for name in OURS} - {None}
    assert addresses == {f"http://balancer:{port}/api"}
    for name in ("server", "background"):
        assert STACK["x-server"].items() <= SERVICES[name]["environment"].items()
    assert {value for value in STACK["x-server"].values() if value.startswith("prefect_redis.")} == {
        "prefect_redis.messaging",
        "prefect_redis.ordering",
        "prefect_redis.lease_storage",
    }


def test_a_server_does_not_start_before_its_database_is_of_its_version() -> None:
    assert STACK["x-server"]["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] == "false"
    for name in ("server", "background"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_only_this_machine_reaches_the_services() -> None:
    reached = {"balancer", "receiver"}
    assert all(port.startswith("127.0.0.1:") for name in reached for port in SERVICES[name]["ports"])
    assert not any("ports" in SERVICES[name] for name in SERVICES.keys() - reached)


def test_the_receivers_port_is_the_usual_one() -> None:
    assert SERVICES["receiver"]["ports"] == [f"127.0.0.1:{USUAL_PORT}:{USUAL_PORT}"]


def test_services_start_in_order_and_name_what_exists() -> None:
    for service in SERVICES.values():
        for needed, condition in service.get("depends_on", {}).items():
            kind = condition["condition"]
            assert kind != "service_healthy" or "healthcheck" in SERVICES[needed]
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in STACK["volumes"] or (COMPOSE / source).is_file()


def test_image_is_built_of_what_exists_and_names_no_registry() -> None:
    text = (COMPOSE / "Dockerfile").read_text()
    for sources in re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", text):
        assert all(list(ROOT.glob(source)) for source in sources.split())
    assert "--constraint constraints.txt" in text
    assert re.findall(r"(?m)^USER (.*)$", text)[-1] == "10001"
    assert f"{DISK_VARIABLE}=false" in text
    assert "://" not in text
    assert (COMPOSE / SERVICES["worker"]["build"]["context"]).resolve() == ROOT


def test_the_image_has_every_package_of_the_project() -> None:
    text = (COMPOSE / "Dockerfile").read_text()
    let_in = (COMPOSE / "Dockerfile.dockerignore").read_text().splitlines()
    packages = {*PACKAGES} - {"deployments"} | {
        f"deployments/{file.parent.name}" for file in (ROOT / "deployments").glob("*/__init__.py")
    }
    assert [name for name in packages if f"\nCOPY {name} {name}\n" not in text] == []
    assert [name for name in packages if f"!{name}" not in let_in] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.name)
def test_unit_starts_programs_that_the_project_has(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    script, program, *_ = parser["Service"]["ExecStart"].split()
    assert (ROOT / script.removeprefix(INSTALLED_AT)).is_file()
    assert program.startswith(f"{INSTALLED_AT}.venv/bin/")
    assert parser["Service"]["User"] == "connectwise-flows"


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.name)
def test_unit_gets_its_secrets_as_credentials(unit: Path) -> None:
    loaded = set(re.findall(r"(?m)^LoadCredential=(\w+):/etc/connectwise-flows/\1$", unit.read_text()))
    files = {name: value for name, value in environment_of(unit).items() if name.endswith("_FILE")}
    assert {value.removeprefix("%d/") for value in files.values()} == loaded
    assert {name.removesuffix("_FILE") for name in files} <= read_from_files()
    assert not read_from_files() & set(environment_of(unit)), "a secret stands in the unit"


def test_server_unit_gets_its_encryption_key() -> None:
    unit = next(each for each in UNITS if each.name == "connectwise-flows-server.service")
    assert "PREFECT_SERVER_ENCRYPTION_KEY_FILE" in environment_of(unit)


def test_runbook_names_only_what_exists() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    for module in re.findall(r"python -m (deployments\.\w+)", text):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module
    for unit in set(re.findall(r"connectwise-flows-[a-z]+@?", text)):
        assert any(each.name.startswith(unit) for each in UNITS), unit
    for service in re.findall(r"docker compose [a-z-]+ (?:--\S+ )*([a-z]+)\b", text):
        assert service in SERVICES, service
    for name in re.findall(r"/etc/connectwise-flows/(\w+)`", text):
        assert any(f"/etc/connectwise-flows/{name}" in each.read_text() for each in UNITS), name
