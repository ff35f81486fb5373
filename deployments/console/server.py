"""Which Prefect server a command speaks to: the one of Prefect's settings, else the running local stack's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.console.output import CommandError, ExitCode

NO_SERVER = (
    "No Prefect server is named and no local stack runs. Set PREFECT_API_URL "
    "(such as http://127.0.0.1:4200/api), or start one with: connectwise-flows up"
)


def send_no_events() -> None:
    """Send no events from this process: having read a block, it would wait for them at its end, and warn."""
    from prefect.events.clients import NullEventsClient
    from prefect.events.worker import EventsWorker

    EventsWorker.set_client_override(NullEventsClient)


@contextmanager
def prefect_server() -> Iterator[str]:
    """Prefect speaks to that server within this block; the API address.

    Raises:
        CommandError: there is none, it does not answer, or it refuses what it is asked.
    """
    import httpx
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from deployments.local.running import home_folder, running_server

    address = PREFECT_API_URL.value() or running_server(home_folder(os.environ))
    if not address:
        raise CommandError(NO_SERVER, ExitCode.USAGE)
    try:
        with temporary_settings({PREFECT_API_URL: address}):
            yield address
    except httpx.TransportError as error:
        why = str(error) or type(error).__name__
        raise CommandError(f"The Prefect server at {address} does not answer: {why}") from error
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        raise CommandError(f"The Prefect server at {address} refused ({code}): {error}") from error
