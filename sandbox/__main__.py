"""``python -m sandbox``: a local ConnectWise PSA, Lansweeper and Field Nation until a signal ends it.

The first line on standard output is JSON with the addresses, the keys and the companies: ``first_line``.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from sandbox.app import SandboxApp
from sandbox.control import with_control
from sandbox.credentials import Credentials, mint_credentials
from sandbox.data.generate import SCENARIOS, build_world
from sandbox.data.provider import companies
from sandbox.field_nation.store import PROVIDERS


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; a mistake in it ends the program with status 2 and a sentence."""
    parser = argparse.ArgumentParser(
        prog="connectwise-flows sandbox",
        description="A local ConnectWise PSA, Lansweeper and Field Nation on 127.0.0.1, until Ctrl-C. The "
        "first line on standard output is JSON with the addresses, the keys and the companies.",
        epilog="Example: connectwise-flows sandbox --port 8099 --seed 7 --assets 400 --scenario dispatch. "
        "Exit codes: 0 ended by a signal; 1 it can't listen; 2 wrong usage.",
    )
    parser.add_argument("--port", type=_number, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same data")
    parser.add_argument("--assets", type=_number, default=400, help="number of Lansweeper assets")
    parser.add_argument("--agreements", type=_number, help="agreements of the run's company; usual: a few")
    parser.add_argument("--tickets", type=_number, help="tickets of the run's company; usual: a few")
    held = "what ConnectWise holds already"
    parser.add_argument("--scenario", choices=SCENARIOS, default="provider", help=held)
    parser.add_argument("--tls-cert", type=Path, help="certificate file (PEM); with --tls-key")
    parser.add_argument("--tls-key", type=Path, help="key file (PEM); with --tls-cert")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every vendor request")
    given = parser.parse_args(arguments)
    if (given.tls_cert is None) != (given.tls_key is None):
        parser.error("--tls-cert and --tls-key belong together: give both or neither")
    return given


def main() -> None:
    given = read_arguments()
    world = build_world(
        given.seed,
        given.assets,
        mint_credentials(given.seed),
        scenario=given.scenario,
        agreements=given.agreements,
        tickets=given.tickets,
    )
    tls = (given.tls_cert, given.tls_key) if given.tls_cert else None
    serve(SandboxApp(world, latency=given.latency_ms / 1000), given.port, tls)


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be negative: {text}")
    return number


HOST = "127.0.0.1"
KEEP_ALIVE = 75  # seconds
GRACE = 1  # seconds that running requests get when the sandbox ends


class SandboxServer(uvicorn.Server):
    """Says its addresses on standard output once it listens, and ends with status 0 on a signal."""

    def __init__(self, config: uvicorn.Config, first_line: dict[str, Any]) -> None:
        super().__init__(config)
        self._first_line = first_line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(json.dumps(self._first_line, ensure_ascii=False), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A request that the end cuts off is no news."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, this does not raise the signal again afterwards: ending is success here."""
        ends = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in ends}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(sandbox: SandboxApp, port: int, tls: tuple[Path, Path] | None) -> None:
    """Serve on 127.0.0.1 only; port 0 takes a free one, ``tls`` is (certificate, key)."""
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it every answer on a kept
    # connection takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        sys.exit(f"The sandbox can't listen on {HOST}:{port}: {error.strerror}. Choose another --port, or 0.")
    certificate, key = tls if tls else (None, None)
    config = uvicorn.Config(
        with_control(sandbox),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        # Longer than clients keep idle connections (httpx: 5 s): none is closed while a request is sent.
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    root = f"{'https' if tls else 'http'}://{HOST}:{listener.getsockname()[1]}"
    SandboxServer(config, first_line(root, sandbox.world.credentials)).run(sockets=[listener])


def first_line(root: str, keys: Credentials) -> dict[str, Any]:
    """Base addresses and credentials, as the program prints them; ``root`` has no slash at its end."""
    return {
        "connectwise": {
            "site": root,
            "company_id": keys.company_id,
            "public_key": keys.public_key,
            "private_key": keys.private_key,
            "client_id": keys.client_id,
        },
        "lansweeper": {
            "endpoint": f"{root}/api/v2/graphql",
            "access_token": keys.access_token,
            "flow_builder_token": keys.flow_builder_token,
            "oauth_token": keys.oauth_token,
            "site_id": keys.site_id,
        },
        "field_nation": {
            "base_address": root,
            "client_id": keys.field_nation.client_id,
            "client_secret": keys.field_nation.client_secret,
            "username": keys.field_nation.username,
            "password": keys.field_nation.password,
            "providers": [provider["id"] for provider in PROVIDERS],
        },
        "control": f"{root}/_sandbox",
        "companies": companies(),
    }


if __name__ == "__main__":
    main()
