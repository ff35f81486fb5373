"""The Prefect server that all lanes of a campaign share, and this process's settings for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker
from prefect.logging.configuration import setup_logging
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOGGING_LEVEL,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)

from deployments.local.prefect import WITHOUT_EVENTS, local_prefect


@contextmanager
def campaign_server(home: Path) -> Iterator[str]:
    """The address of its API. It ends with the block; logs and events are not sent to it."""
    home.mkdir(parents=True, exist_ok=True)
    with local_prefect(home, WITHOUT_EVENTS) as server:
        settings = {
            PREFECT_API_URL: server.api_url,
            PREFECT_HOME: home,
            PREFECT_LOGGING_LEVEL: "WARNING",
            PREFECT_LOGGING_TO_API_ENABLED: False,
            PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
        }
        EventsWorker.set_client_override(NullEventsClient)
        with temporary_settings(settings):
            setup_logging()
            yield server.api_url
