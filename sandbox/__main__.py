"""``python -m sandbox``: a local ConnectWise PSA, Lansweeper and Field Nation on a loopback port.

The first line on standard output is JSON with the base addresses and credentials.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sandbox.app import SandboxApp
from sandbox.credentials import mint_credentials
from sandbox.data.generate import SCENARIOS, build_world
from sandbox.server import serve


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; a mistake in it ends the program with status 2 and a sentence."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=_number, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same data")
    parser.add_argument("--assets", type=_number, default=400, help="number of Lansweeper assets")
    parser.add_argument("--agreements", type=_number, help="agreements of the run's company; usual: a few")
    parser.add_argument("--tickets", type=_number, help="tickets of the run's company; usual: a few")
    parser.add_argument(
        "--scenario", choices=SCENARIOS, default="provider", help="what ConnectWise holds already"
    )
    parser.add_argument("--tls-cert", type=Path, help="certificate file (PEM); with --tls-key")
    parser.add_argument("--tls-key", type=Path, help="key file (PEM); with --tls-cert")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every vendor request")
    given = parser.parse_args(arguments)
    if (given.tls_cert is None) != (given.tls_key is None):
        parser.error("--tls-cert and --tls-key belong together: give both or neither")
    return given


def main() -> None:
    """Build the data, then serve until SIGTERM or SIGINT."""
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


if __name__ == "__main__":
    main()
