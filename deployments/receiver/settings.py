"""The receiver's settings, from environment variables; secrets may lie in files.

For every variable NAME below, ``NAME_FILE`` may name a file with its value instead, as container and service
managers hand secrets over.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.database import default_path
from deployments.environment import CONNECTWISE, LEDGER_URL, WEBHOOK_SECRET

HOST = "CONNECTWISE_FLOWS_RECEIVER_HOST"
PORT = "CONNECTWISE_FLOWS_RECEIVER_PORT"
BODY_LIMIT = "CONNECTWISE_FLOWS_RECEIVER_BODY_LIMIT"
KEY_HOSTS = "CONNECTWISE_FLOWS_RECEIVER_KEY_HOSTS"
KEY_PATHS = "CONNECTWISE_FLOWS_RECEIVER_KEY_PATHS"
CONNECTWISE_SOURCES = "CONNECTWISE_FLOWS_RECEIVER_CONNECTWISE_SOURCES"
FIELD_NATION_SOURCES = "CONNECTWISE_FLOWS_RECEIVER_FIELD_NATION_SOURCES"
PROXIES = "CONNECTWISE_FLOWS_RECEIVER_PROXIES"
USUAL_PORT = 8460
USUAL_BODY_LIMIT = 1_048_576
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """How the receiver listens, whom it believes and where it keeps messages. No secret is in its repr.

    Attributes:
        ledger: a file or a database address.
        connectwise: the company whose callbacks are taken; None: none are.
        key_hosts: hosts that a signing key may be fetched from.
        key_paths: beginnings of further paths that a signing key may lie at.
        webhook_secret: what Field Nation signs with; empty: no webhooks are taken.
        body_limit: bytes of the largest message.
        connectwise_sources, field_nation_sources: networks that may send; empty: everybody.
        proxies: addresses whose ``X-Forwarded-For`` is believed.
    """

    ledger: str | Path = field(repr=False)
    connectwise: ConnectWiseSettings | None = None
    key_hosts: frozenset[str] = frozenset()
    key_paths: tuple[str, ...] = ()
    webhook_secret: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = USUAL_PORT
    body_limit: int = USUAL_BODY_LIMIT
    connectwise_sources: tuple[Network, ...] = ()
    field_nation_sources: tuple[Network, ...] = ()
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")

    def secrets(self) -> list[str]:
        """What no log line may show."""
        vendor = self.connectwise.secrets() if self.connectwise is not None else []
        return [*vendor, *([self.webhook_secret] if self.webhook_secret else [])]


def receiver_settings(environment: Mapping[str, str]) -> ReceiverSettings:
    """The settings that the variables describe.

    Raises:
        ValueError: a number, a network or a file is not what its variable needs, only some of ConnectWise's
            variables are set, or neither vendor's.
        StopError: a value of ConnectWise can't be right.
    """
    connectwise = _connectwise(environment)
    secret = _value(environment, WEBHOOK_SECRET)
    if connectwise is None and not secret:
        raise ValueError(f"Set {', '.join(CONNECTWISE)} for ConnectWise, {WEBHOOK_SECRET} for Field Nation.")
    key_hosts = frozenset(host.lower() for host in _words(environment, KEY_HOSTS))
    return ReceiverSettings(
        ledger=_value(environment, LEDGER_URL) or default_path(environment),
        connectwise=connectwise,
        key_hosts=key_hosts or (site_hosts(connectwise) if connectwise else frozenset()),
        key_paths=_words(environment, KEY_PATHS),
        webhook_secret=secret,
        host=_value(environment, HOST) or "127.0.0.1",
        port=_number(environment, PORT, USUAL_PORT),
        body_limit=_number(environment, BODY_LIMIT, USUAL_BODY_LIMIT),
        connectwise_sources=_networks(environment, CONNECTWISE_SOURCES),
        field_nation_sources=_networks(environment, FIELD_NATION_SOURCES),
        proxies=_words(environment, PROXIES) or ("127.0.0.1", "::1"),
    )


def site_hosts(settings: ConnectWiseSettings) -> frozenset[str]:
    """The host of the API, and that of the site without ``api-`` in front."""
    host = settings.base_url.partition("://")[2].partition(":")[0]
    return frozenset({host, host.removeprefix("api-")})


def _connectwise(environment: Mapping[str, str]) -> ConnectWiseSettings | None:
    given = {member: _value(environment, name) for name, member in CONNECTWISE.items()}
    if not any(given.values()):
        return None
    missing = [name for name, member in CONNECTWISE.items() if not given[member]]
    if missing:
        raise ValueError(f"Set {', '.join(missing)} too: callbacks need all of {', '.join(CONNECTWISE)}.")
    return ConnectWiseSettings(**given)


def _value(environment: Mapping[str, str], name: str) -> str:
    """The variable, or the content of the file that ``NAME_FILE`` names."""
    file = environment.get(f"{name}_FILE", "").strip()
    if not file:
        return environment.get(name, "").strip()
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise ValueError(f"{name}_FILE names {file}, which is empty or can't be read.")
    return text


def _words(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(_value(environment, name).replace(",", " ").split())


def _number(environment: Mapping[str, str], name: str, usual: int) -> int:
    text = _value(environment, name)
    if text and not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{name} must be a whole number.")
    return int(text) if text else usual


def _networks(environment: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each, strict=False) for each in _words(environment, name))
    except ValueError as error:
        raise ValueError(
            f"{name} must be addresses or networks such as 203.0.113.0/24: {error!s:.200}."
        ) from None
