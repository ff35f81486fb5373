"""The manifests and the job of a run, held against Kubernetes' own schemas; no cluster is asked."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deployments.work_pool import base_job_template
from tests.deployments.test_several_machines import BY_HAND, ROOT, STACK, read_from_files

FOLDER = ROOT / "deployments" / "kubernetes"
OLDEST, NEWEST = "1.27", "1.37"
"""Of Kubernetes: what is old enough to be nobody's, and the newest whose schema the package has."""
SECRETS = "/etc/connectwise-flows/"
MANIFESTS: list[dict[str, Any]] = [
    each
    for file in sorted(FOLDER.glob("*.yaml"))
    for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    if each["kind"] != "Kustomization"
]
PODS = [each["spec"]["template"]["spec"] for each in MANIFESTS if "template" in each.get("spec", {})]


def name_of(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in MANIFESTS if each["kind"] == kind}


def filled(node: Any, values: dict[str, Any]) -> Any:
    """A template with its variables' defaults, as a worker fills it in; what has none is left out."""
    if isinstance(node, dict):
        made = {key: filled(value, values) for key, value in node.items()}
        return {key: value for key, value in made.items() if value is not None}
    if isinstance(node, list):
        return [filled(each, values) for each in node]
    if isinstance(node, str) and (whole := re.fullmatch(r"\{\{ (\w+) \}\}", node)):
        return values[whole[1]]
    return (
        re.sub(r"\{\{ (\w+) \}\}", lambda each: str(values[each[1]]), node) if isinstance(node, str) else node
    )


def job_of_a_run() -> dict[str, Any]:
    template = base_job_template("kubernetes", {})
    values = {name: each.get("default") for name, each in template["variables"]["properties"].items()}
    environment = [
        {"name": name, "value": value} for name, value in values["env"].items() if value is not None
    ]
    values |= {"name": "run", "env": environment, "command": ["prefect", "flow-run", "execute"]}
    job: dict[str, Any] = filled(template["job_configuration"]["job_manifest"], values)
    return job


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", [*MANIFESTS, job_of_a_run()], ids=lambda each: each.get("kind", ""))
def test_kubernetes_takes_the_manifest(manifest: dict[str, Any], version: str) -> None:
    validator = pytest.importorskip(
        "kubernetes_validate", reason="install the extra 'dev' to check manifests"
    )
    validator.validate(manifest, version, strict=True)


def test_a_misspelt_member_would_be_noticed() -> None:
    validator = pytest.importorskip(
        "kubernetes_validate", reason="install the extra 'dev' to check manifests"
    )
    wrong = job_of_a_run()
    wrong["spec"]["template"]["spec"]["restartPolice"] = "Never"
    with pytest.raises(validator.ValidationError, match="restartPolice"):
        validator.validate(wrong, NEWEST, strict=True)


def test_the_list_of_manifests_is_whole() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert {*listed, "kustomization.yaml"} == {file.name for file in FOLDER.glob("*.yaml")}


@pytest.mark.parametrize("pod", [*PODS, job_of_a_run()["spec"]["template"]["spec"]])
def test_a_pod_runs_as_nobody_and_mounts_the_secrets_that_it_names(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    (secret,) = (each["secret"] for each in pod["volumes"] if each["name"] == "secrets")
    assert secret["secretName"] == "connectwise-flows"
    mounted = {each["key"] for each in secret["items"]}
    assert mounted <= set(STACK["secrets"]) | BY_HAND
    own = {each["name"]: each.get("value", "") for each in container.get("env", [])}
    for source in container.get("envFrom", []):
        own |= of_kind("ConfigMap")[source["configMapRef"]["name"]]["data"]
    named = {value.removeprefix(SECRETS) for value in own.values() if str(value).startswith(SECRETS)}
    assert named <= mounted
    assert {name.removesuffix("_FILE") for name in own if name.endswith("_FILE")} <= read_from_files()
    assert not read_from_files() & set(own), "a secret stands in a manifest"


def test_only_servers_get_the_encryption_key() -> None:
    with_key = {pod["containers"][0]["name"] for pod in PODS if "encryption_key" in str(pod["volumes"])}
    assert with_key == {"migrate", "server", "background"}


def test_services_lead_to_pods_and_the_clients_address_is_one() -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"] for each in MANIFESTS if each["kind"] in WORKLOADS
    ]
    services = of_kind("Service")
    assert all(each["spec"]["selector"] in labels for each in services.values())
    address = of_kind("ConfigMap")["client"]["data"]["PREFECT_API_URL"]
    assert address == f"http://server:{services['server']['spec']['ports'][0]['port']}/api"


WORKLOADS = {"Deployment", "StatefulSet"}


def test_the_servers_of_kubernetes_and_of_compose_share_the_same_way() -> None:
    compose = {name: value for name, value in STACK["x-server"].items() if not name.endswith("_FILE")}
    assert compose.items() <= of_kind("ConfigMap")["server"]["data"].items()


def test_the_claim_and_the_secret_of_runs_exist() -> None:
    template = base_job_template("kubernetes", {})["variables"]["properties"]
    assert template["answers_claim"]["default"] in of_kind("PersistentVolumeClaim")
    assert template["namespace"]["default"] in of_kind("Namespace")
