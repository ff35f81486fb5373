"""The receiver's settings: from variables and files, complete or refused in words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from deployments.local.prefect import free_port
from deployments.receiver.server import EX_CONFIG
from deployments.receiver.settings import receiver_settings
from tests.docs.pages import ROOT

CONNECTWISE = {
    "CONNECTWISE_SITE": "na.myconnectwise.net",
    "CONNECTWISE_COMPANY_ID": "bluelight",
    "CONNECTWISE_PUBLIC_KEY": "PublicKey0123456",
    "CONNECTWISE_PRIVATE_KEY": "PrivateKey654321",
    "CONNECTWISE_CLIENT_ID": "2f6b6d5c-0000-4000-8000-000000000001",
}
SECRET = {"FIELD_NATION_WEBHOOK_SECRET": "5f4dcc3b-5aa7-4000-8000-65d61d8327de"}


def test_without_more_it_listens_on_loopback_and_fetches_keys_from_the_site_alone() -> None:
    settings = receiver_settings(CONNECTWISE | SECRET | {"CONNECTWISE_FLOWS_LEDGER": "/var/x/ledger.db"})
    assert (settings.host, str(settings.ledger)) == ("127.0.0.1", "/var/x/ledger.db")
    assert settings.key_hosts == {"api-na.myconnectwise.net", "na.myconnectwise.net"}
    assert (settings.connectwise_sources, settings.field_nation_sources) == ((), ())
    assert settings.webhook_secret == SECRET["FIELD_NATION_WEBHOOK_SECRET"]


def test_secrets_come_from_files_and_never_show(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET["FIELD_NATION_WEBHOOK_SECRET"] + "\n")
    (tmp_path / "ledger").write_text("postgresql://u:hidden@db/ledger\n")
    files = {
        "FIELD_NATION_WEBHOOK_SECRET_FILE": str(tmp_path / "secret"),
        "CONNECTWISE_FLOWS_LEDGER_URL_FILE": str(tmp_path / "ledger"),
    }
    settings = receiver_settings(files)
    assert settings.webhook_secret == SECRET["FIELD_NATION_WEBHOOK_SECRET"]
    assert settings.ledger == "postgresql://u:hidden@db/ledger"
    shown = repr(receiver_settings(CONNECTWISE | files))
    assert [each for each in ("hidden", "PrivateKey", settings.webhook_secret) if each in shown] == []


def test_lists_and_numbers_are_read() -> None:
    settings = receiver_settings(
        SECRET
        | {
            "CONNECTWISE_FLOWS_RECEIVER_HOST": "10.0.0.5",
            "CONNECTWISE_FLOWS_RECEIVER_PORT": "9000",
            "CONNECTWISE_FLOWS_RECEIVER_BODY_LIMIT": "5000",
            "CONNECTWISE_FLOWS_RECEIVER_KEY_HOSTS": "Keys.Example, *.myconnectwise.net",
            "CONNECTWISE_FLOWS_RECEIVER_FIELD_NATION_SOURCES": "203.0.113.7 198.51.100.0/24",
            "CONNECTWISE_FLOWS_RECEIVER_PROXIES": "10.0.0.1",
        }
    )
    assert (settings.host, settings.port, settings.body_limit) == ("10.0.0.5", 9000, 5000)
    assert settings.key_hosts == {"keys.example", "*.myconnectwise.net"}
    networks = (ip_network("203.0.113.7/32"), ip_network("198.51.100.0/24"))
    assert (settings.field_nation_sources, settings.proxies) == (networks, ("10.0.0.1",))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CONNECTWISE_CLIENT_ID": ""}, "Set CONNECTWISE_CLIENT_ID too"),
        ({"CONNECTWISE_FLOWS_RECEIVER_PORT": "-1"}, "PORT must be a whole number"),
        ({"CONNECTWISE_FLOWS_RECEIVER_CONNECTWISE_SOURCES": "here"}, "SOURCES must be addresses"),
        ({"FIELD_NATION_WEBHOOK_SECRET_FILE": "/nowhere"}, "FILE names /nowhere, which is empty"),
        (dict.fromkeys([*CONNECTWISE, *SECRET], ""), "for ConnectWise, FIELD_NATION_WEBHOOK_SECRET for"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        receiver_settings(CONNECTWISE | SECRET | changes)


def test_as_a_process_it_ends_with_its_own_code_where_nothing_is_set() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.receiver"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "Set CONNECTWISE_SITE" in done.stderr) == (EX_CONFIG, True)


@pytest.mark.slow
def test_as_a_process_it_answers_and_ends_when_told_to(tmp_path: Path) -> None:
    port = free_port()
    ours = {
        "CONNECTWISE_FLOWS_RECEIVER_PORT": str(port),
        "CONNECTWISE_FLOWS_LEDGER": str(tmp_path / "ledger.db"),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "deployments.receiver"], cwd=ROOT, env=os.environ | SECRET | ours
    ) as process:
        try:
            assert wait_for(f"http://127.0.0.1:{port}/ready") == 200
        finally:
            process.send_signal(signal.SIGTERM)
        # uvicorn ends what is under way, then passes the signal on.
        assert process.wait(timeout=15) in (0, -signal.SIGTERM)


def wait_for(address: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            return httpx.get(address).status_code
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
