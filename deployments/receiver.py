"""``python -m deployments.receiver``: takes callbacks and webhooks, and keeps them for ``dispatch-inbox``.

It listens on loopback unless told otherwise: something with TLS stands before it (see README.md). Settings
are environment variables, see ``deployments.receiving.settings``; it needs the ledger's place and the
vendors' secrets, and no Prefect server.
"""

from __future__ import annotations

import logging
import os
import sys

import uvicorn

from connectors.errors import StopError
from deployments.receiving.app import receiver_app
from deployments.receiving.settings import ReceiverSettings, receiver_settings
from tasks.rules.receiver_addresses import CONNECTWISE_PATH, FIELD_NATION_PATH

EX_CONFIG = 78
"""Trying again does not help; service managers know this exit code."""


def main() -> int:
    """Listen until SIGTERM or Ctrl-C; what was begun is finished first."""
    try:
        settings = receiver_settings(os.environ)
    except (ValueError, StopError) as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for talkative in ("httpx", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    address = f"http://{settings.host}:{settings.port}"
    if settings.connectwise is not None:
        logging.info("Callbacks of ConnectWise at %s%s?recordId=", address, CONNECTWISE_PATH)
    if settings.webhook_secret:
        logging.info("Webhooks of Field Nation at %s%s", address, FIELD_NATION_PATH)
    uvicorn.Server(server_config(settings)).run()
    return 0


def server_config(settings: ReceiverSettings) -> uvicorn.Config:
    """The HTTP server's settings. The sender's address is taken from the proxies that are named."""
    return uvicorn.Config(
        receiver_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.proxies),
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    sys.exit(main())
