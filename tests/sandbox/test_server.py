"""The program itself: command line, first line, signals, latency, and a stranger's client over TLS.

Its JSON is the standard library's, whichever of the two ways reads or writes it.
"""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.requests import decode, encode
from tests.support.sandbox.calls import API, CONFIGURATIONS, connectwise, machines

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def program(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--assets", "30", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline()), process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def tls(tls_files: tuple[Path, Path]) -> Iterator[tuple[dict[str, Any], ssl.SSLContext]]:
    certificate, key = tls_files
    with program("--tls-cert", str(certificate), "--tls-key", str(key)) as (info, _):
        yield info, ssl.create_default_context(cafile=str(certificate))


def test_a_strangers_client_lists_filters_and_pages_over_tls(
    tls: tuple[dict[str, Any], ssl.SSLContext],
) -> None:
    info, trust = tls
    assert info["connectwise"]["site"].startswith("https://127.0.0.1:")
    with connectwise(info, trust) as http:
        conditions = f'company/id={info["companies"][0]["id"]} and name like "O*"'
        answer = http.get(CONFIGURATIONS, params={"conditions": conditions})
        assert answer.status_code == 200
        assert {record["name"][0] for record in answer.json()} <= {"O", "o"}
        pages = [http.get(CONFIGURATIONS, params={"pageSize": 5})]
        while "next" in pages[-1].links:
            pages.append(http.get(pages[-1].links["next"]["url"]))
        ids = [record["id"] for page in pages for record in page.json()]
        assert len(pages) > 1
        assert len(ids) == len(set(ids)) == http.get(f"{CONFIGURATIONS}/count").json()["count"]


def test_a_strangers_client_makes_reads_patches_and_deletes(
    tls: tuple[dict[str, Any], ssl.SSLContext],
) -> None:
    info, trust = tls
    with connectwise(info, trust) as http:
        created = http.post(CONFIGURATIONS, json=machines(info["companies"][0]["id"], 1)[0])
        assert created.status_code == 201
        address = f"{CONFIGURATIONS}/{created.json()['id']}"
        assert http.get(address).json()["status"]["name"] == "Active"
        patch = [{"op": "replace", "path": "serialNumber", "value": "S-1"}]
        assert http.patch(address, json=patch).json()["serialNumber"] == "S-1"
        assert http.delete(address).status_code == 204
        assert http.get(address).status_code == 404


def test_a_dropped_connection_over_tls(tls: tuple[dict[str, Any], ssl.SSLContext]) -> None:
    info, trust = tls
    with httpx.Client(verify=trust) as control, connectwise(info, trust) as http:
        rules = [{"path": "/system/info", "nth": [1], "fault": {"kind": "drop_before"}}]
        control.put(f"{info['control']}/faults", json=rules).raise_for_status()
        with pytest.raises(httpx.TransportError):
            http.get(f"{API}/system/info")
        assert http.get(f"{API}/system/info").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_though_a_request_runs(number: signal.Signals) -> None:
    with program("--latency-ms", "30000") as (info, process):
        with socket.create_connection(("127.0.0.1", int(info["control"].split(":")[2].split("/")[0]))) as raw:
            raw.sendall(b"GET /login/companyinfo/x HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.1)
            process.send_signal(number)
            output, errors = process.communicate(timeout=5)
        assert process.returncode == 0
        assert output == ""
        assert errors == ""


def test_it_starts_quickly_listens_on_loopback_and_adds_latency() -> None:
    start = time.monotonic()
    with program("--latency-ms", "80") as (info, _):
        assert time.monotonic() - start < 5, "about a second on a quiet machine"
        with connectwise(info) as http:
            before = time.monotonic()
            http.get("/login/companyinfo/x")
            assert time.monotonic() - before > 0.08
        assert info["companies"][0]["identifier"] == "BlueLightCo"
        assert info["companies"][0]["id"] != 1
        assert info["lansweeper"]["endpoint"].startswith("http://127.0.0.1:")


def test_importing_it_does_not_import_prefect() -> None:
    code = "import sys, sandbox.__main__; print([m for m in sys.modules if m.split('.')[0] in OURS])"
    ours = "OURS = {'prefect', 'connectors', 'tasks', 'flows', 'deployments', 'httpx'}; "
    done = subprocess.run(
        [sys.executable, "-c", ours + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tls-cert", "x"], "belong together"),
        (["--assets", "-1"], "must not be negative"),
        (["--port", "1"], "can't listen on 127.0.0.1:1"),
    ],
)
def test_mistakes_on_the_command_line(arguments: list[str], words: str) -> None:
    if arguments[0] == "--port":
        taken = socket.create_server(("127.0.0.1", 0))
        arguments, words = ["--port", str(taken.getsockname()[1])], "can't listen on 127.0.0.1"
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert words in done.stderr
    if arguments[0] == "--port":
        taken.close()


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"a": [1, 2.5, null, true, "ü"]}',
        "1234567890123456789012",
        '"1234567890123456789012"',
    ],
)
def test_reads_as_the_standard_library_does(text: str) -> None:
    assert decode(text) == json.loads(text)
    assert decode(text.encode()) == json.loads(text)
    assert type(decode(text)) is type(json.loads(text))


@pytest.mark.parametrize("text", ["NaN", "[1e400]", "-Infinity", "9" * 5000, "[" * 65, '{"a":' * 3000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(text)


def test_a_lone_surrogate_is_replaced_and_nonsense_is_refused_in_the_usual_words() -> None:
    assert decode('{"\\ud800": ["\\ude00x", "\\ud83d\\ude00"]}') == {"�": ["�x", "😀"]}
    with pytest.raises(ValueError, match="Expecting property name"):
        decode("{nonsense}")


@pytest.mark.parametrize("value", [{"a": ["ü", 1.5, None]}, 2**70, {1: "a key that is a number"}])
def test_writes_what_the_standard_library_writes(value: object) -> None:
    assert encode(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
