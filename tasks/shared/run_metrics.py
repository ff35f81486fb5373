"""Metrics of flow runs for Prometheus, where a setting names a place for them.

A run is a process that ends before anybody could ask it, so it adds what it counted to what earlier runs did:
to a file that node_exporter reads (its textfile collector), to a Pushgateway, or to both. Counters therefore
go on over all runs of a machine, or of all machines that push. No trouble with a place ever fails a run or
holds it up for long; a run that is killed takes along what it counted since the last minute.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path

import anyio
import httpx
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.parser import text_string_to_metric_families

from connectors.connection import without_proxy
from connectors.metrics import (
    CONTENT_TYPE,
    NAMESPACE,
    RequestMetrics,
    Series,
    added_up,
    metrics_text,
    relabelled,
    values_of,
)

TEXTFILE_FOLDER = "CONNECTWISE_FLOWS_METRICS_FOLDER"
PUSHGATEWAY = "CONNECTWISE_FLOWS_METRICS_PUSHGATEWAY"
FILE_NAME = f"{NAMESPACE}.prom"
JOB = NAMESPACE
"""The group of a Pushgateway that all runs add to."""
RUN_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Seconds: from an action's to a first load's."""
TOLD_EVERY = 60.0
"""Seconds: dispatch-inbox runs for a day."""
PUSH_SECONDS = 5.0
TELL_SECONDS = 10.0
"""How long the end of a run waits for its places."""
logger = logging.getLogger(__name__)


class Place(ABC):
    """Where metrics of all runs are kept; ``update`` replaces them by what ``add`` makes of them."""

    def update(self, now: Sequence[Metric], told: Mapping[Series, float]) -> None:
        """Adds what ``now`` has more than ``told``. OSError, httpx.HTTPError or ValueError: it can't."""
        with self._alone():
            self._write(metrics_text(added_up(self._read(), now, told)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process updates the place within."""
        yield

    @abstractmethod
    def _read(self) -> Iterable[Metric]: ...

    @abstractmethod
    def _write(self, text: str) -> None: ...


class TextFile(Place):
    """The file that node_exporter's textfile collector reads, replaced as a whole each time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f".{NAMESPACE}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> list[Metric]:
        try:
            return list(text_string_to_metric_families(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return []
        except ValueError:
            # Not of this project, or cut off: counters that begin anew are usual.
            logger.warning("%s could not be read; its metrics begin anew", self._path)
            return []

    def _write(self, text: str) -> None:
        # Not beginning with the file's name and ending in .prom: node_exporter must not read half of it.
        new = self._path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        # Another user's node_exporter reads it; there is nothing secret in it.
        new.chmod(0o644)
        new.replace(self._path)


class Pushgateway(Place):
    """One group of a Pushgateway. Of two runs that push in the same moment one may lose what it adds."""

    _client: httpx.Client

    def __init__(self, address: str, transport: httpx.BaseTransport | None = None) -> None:
        self._address = httpx.URL(address.rstrip("/"))
        self._transport = transport

    @contextmanager
    def _alone(self) -> Iterator[None]:
        mounts = without_proxy(self._address)
        with httpx.Client(timeout=PUSH_SECONDS, transport=self._transport, mounts=mounts) as self._client:
            yield

    def _read(self) -> list[Metric]:
        answer = self._client.get(f"{self._address}/metrics").raise_for_status()
        ours = [
            each for each in text_string_to_metric_families(answer.text) if each.name.startswith(NAMESPACE)
        ]
        return relabelled(ours, _without_group)

    def _write(self, text: str) -> None:
        headers = {"Content-Type": CONTENT_TYPE}
        address = f"{self._address}/metrics/job/{JOB}"
        self._client.put(address, content=text.encode(), headers=headers).raise_for_status()


def _without_group(labels: dict[str, str]) -> dict[str, str] | None:
    """The labels without those that the Pushgateway has added; None for another group's sample."""
    if labels.pop("job", "") != JOB or labels.pop("instance", ""):
        return None
    # It writes the bound of a bucket as 1, where the library has 1.0.
    bound = labels.get("le", "+Inf")
    return labels if bound == "+Inf" else labels | {"le": str(float(bound))}


def places_of(environment: Mapping[str, str]) -> list[Place]:
    """The places that the settings name; none is the usual case."""
    folder, gateway = (environment.get(name, "").strip() for name in (TEXTFILE_FOLDER, PUSHGATEWAY))
    return [
        *([TextFile(Path(folder).expanduser())] if folder else []),
        *([Pushgateway(gateway)] if gateway else []),
    ]


class RunMetrics:
    """What one run counts, in a registry of its own. ``requests`` is for its clients.

    ``outcome``: completed unless it is said otherwise before the end.
    """

    def __init__(self, flow: str, run_id: str, *, read_only: bool, places: Sequence[Place]) -> None:
        self.run_id = run_id
        self.outcome = "completed"
        self._labels = (flow, "true" if read_only else "false")
        self._registry = CollectorRegistry()
        self.requests = RequestMetrics(self._registry)
        self._seconds = Histogram(
            f"{NAMESPACE}_run_seconds",
            "Seconds of a run, by flow and outcome",
            ["flow", "read_only", "outcome"],
            buckets=RUN_BUCKETS,
            registry=self._registry,
        )
        self._success = Gauge(
            f"{NAMESPACE}_run_last_success_timestamp_seconds",
            "When a run of the flow last completed",
            ["flow", "read_only"],
            registry=self._registry,
        )
        self._records = Counter(
            f"{NAMESPACE}_records",
            "Records that runs accounted for, by flow and what became of them",
            ["flow", "read_only", "outcome"],
            registry=self._registry,
        )
        self._places = {place: dict[Series, float]() for place in places}
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_telling, name="run metrics", daemon=True)
        self._thread.start()

    def add_records(self, outcomes: Mapping[str, int]) -> None:
        """So many more records ended so."""
        for outcome, count in outcomes.items():
            self._records.labels(*self._labels, outcome).inc(count)

    def end(self) -> None:
        """Counts the run itself; what is not told yet is told now."""
        self._seconds.labels(*self._labels, self.outcome).observe(time.monotonic() - self._began)
        if self.outcome == "completed":
            self._success.labels(*self._labels).set_to_current_time()
        self._ended.set()

    async def told(self) -> None:
        """Waits, not for ever, until the places have everything."""
        await anyio.to_thread.run_sync(self._thread.join, TELL_SECONDS)

    def _keep_telling(self) -> None:
        # In a thread: a file system or a server that hangs must not hold the run.
        while not self._ended.wait(TOLD_EVERY):
            self._tell()
        self._tell()

    def _tell(self) -> None:
        for place, told in self._places.items():
            now = list(self._registry.collect())
            try:
                place.update(now, told)
            except Exception as error:
                # Never the run's trouble. What was not told stays to be told.
                logger.warning(
                    "Metrics could not be told to a %s: %s", type(place).__name__, type(error).__name__
                )
            else:
                told.update(values_of(now))


_measured: ContextVar[RunMetrics | None] = ContextVar("run_metrics", default=None)


@asynccontextmanager
async def measured_run(run_id: str, *, read_only: bool) -> AsyncIterator[RequestMetrics | None]:
    """Measure the flow run that this block belongs to; None, at no cost, where no place is set.

    An error that leaves the block counts as failed, a cancellation as cancelled.
    """
    places = places_of(os.environ)
    if not places:
        yield None
        return
    context = FlowRunContext.get()
    flow = context.flow.name if context is not None and context.flow is not None else "none"
    metrics = RunMetrics(flow, run_id, read_only=read_only, places=places)
    token = _measured.set(metrics)
    try:
        yield metrics.requests
    except BaseException as error:
        metrics.outcome = "failed" if isinstance(error, Exception) else "cancelled"
        raise
    finally:
        _measured.reset(token)
        metrics.end()
        with anyio.CancelScope(shield=True):
            await metrics.told()


def note_records(outcomes: Mapping[str, int]) -> None:
    """Count records by what became of them, for the run's own metrics and not for those of a caller."""
    if (metrics := _own()) is not None:
        metrics.add_records(outcomes)


def note_outcome(outcome: str) -> None:
    """Say how the run ends that returns its state: ``failed`` or ``cancelled``."""
    if (metrics := _own()) is not None:
        metrics.outcome = outcome


def _own() -> RunMetrics | None:
    metrics = _measured.get()
    return metrics if metrics is not None and metrics.run_id == str(flow_run.id) else None
