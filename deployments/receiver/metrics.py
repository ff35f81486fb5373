"""Metrics of the receiver for Prometheus: counts, durations, the ledger's inbox and requests, the process.

Every message ends in exactly one of handed over, duplicate, refused, put off; ``received`` is their sum and
those that are being worked on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, ProcessCollector
from prometheus_client.core import GaugeMetricFamily

from connectors.ledger.models import InboxState
from connectors.ledger.request_history import DayOfRequests
from connectors.metrics import metrics_text

METRIC_PREFIX = "connectwise_flows_receiver"
LOG_EVERY = 10.0
"""Seconds between two log lines of one kind: whoever sends rubbish must not fill the disk."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 2.5, 5.0)
"""Seconds: a message is to be answered within 0.9 once it is here, and one that trickles in ends after 3."""
_COUNTERS = {
    "received": ("Messages that came in", ["source"]),
    "handed_over": ("Messages kept in the inbox for the flows", ["source"]),
    "duplicates": ("Messages that were kept already", ["source"]),
    "refused": ("Messages that are not believed or can't be read, by reason", ["source", "reason"]),
    "put_off": ("Messages that the sender was asked to send again, by reason", ["source", "reason"]),
}
_OF_DAY = {
    "requests": "Requests of all processes to a vendor in the last 24 hours",
    "waits": "Calls that waited for the request limit in the last 24 hours",
    "waited_seconds": "Seconds that calls waited for the request limit in the last 24 hours",
    "refused": "Answers with status 429 in the last 24 hours",
}
logger = logging.getLogger("deployments.receiver")


class MessageCounts:
    """Counters since the start of this process, by source and reason, in a registry of their own."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"{METRIC_PREFIX}_{name}", words, labels, registry=self._registry)
            for name, (words, labels) in _COUNTERS.items()
        }
        self._seconds = Histogram(
            f"{METRIC_PREFIX}_answer_seconds",
            "Seconds from the head of a message to its answer, by how it ended",
            ["source", "outcome"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._monotonic = monotonic
        self._logged: dict[tuple[str, ...], float] = {}

    def add(self, name: str, source: str, reason: str = "", detail: str = "") -> None:
        """Counts one; refused and put off ones are logged too, now and then."""
        labels = (source, reason) if "reason" in _COUNTERS[name][1] else (source,)
        self._counters[name].labels(*labels).inc()
        if name in ("refused", "put_off"):
            self._log(name, source, reason, detail)

    def end(self, name: str, source: str, seconds: float, reason: str = "", detail: str = "") -> None:
        """Counts one that ended so, after so many seconds."""
        self._seconds.labels(source, name).observe(seconds)
        self.add(name, source, reason, detail)

    def of(self, name: str, source: str | None = None, reason: str | None = None) -> int:
        """The sum over sources and reasons that are not given."""
        (family,) = self._counters[name].collect()
        return sum(
            int(each.value)
            for each in family.samples
            if each.name.endswith("_total")
            and source in (None, each.labels["source"])
            and reason in (None, each.labels.get("reason", ""))
        )

    def text(
        self, inbox: Mapping[str, int] | None = None, requests: Mapping[str, DayOfRequests] | None = None
    ) -> str:
        """All metrics; the messages in the inbox by state, and the requests of a day, if they are known."""
        return metrics_text([*self._registry.collect(), *_of_ledger(inbox, requests or {})])

    def _log(self, *kind: str) -> None:
        now = self._monotonic()
        if now - self._logged.get(kind[:3], -LOG_EVERY) < LOG_EVERY:
            return
        self._logged[kind[:3]] = now
        name, source, reason, detail = kind
        words = f"{name.replace('_', ' ')}: {reason}{f', {detail}' if detail else ''}"
        logger.warning("A message of %s was %s (%d so far)", source, words, self.of(name, source, reason))


def _of_ledger(inbox: Mapping[str, int] | None, requests: Mapping[str, DayOfRequests]) -> Iterator[Metric]:
    """What the ledger knows at this moment, of all processes, the requests by the key of the budget."""
    if inbox is not None:
        words = "Messages in the ledger's inbox, by state"
        waiting = GaugeMetricFamily(f"{METRIC_PREFIX}_inbox_messages", words, labels=["state"])
        for state in get_args(InboxState):
            waiting.add_metric([state], inbox.get(state, 0))
        yield waiting
    if not requests:
        return
    for name, words in _OF_DAY.items():
        family = GaugeMetricFamily(f"{METRIC_PREFIX}_vendor_{name}_of_day", words, labels=["budget"])
        for key, day in sorted(requests.items()):
            family.add_metric([key], getattr(day, name))
        yield family
