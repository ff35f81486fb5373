"""Metrics for Prometheus: those of requests to the vendors, and the text in which any are told.

Whoever counts makes a registry of its own; the library's registry of the process is not used. Labels come
from fixed sets of words, so that their number is bounded: never an id, an address or a name that a person
has given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from connectors.retry import AttemptOutcome, RequestKind

NAMESPACE = "connectwise_flows"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)
"""Seconds: from a quick answer to the time limit of a whole try."""
WAIT_BUCKETS = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: from a permission in hand to the patience of the rate limit."""
Series = tuple[str, tuple[tuple[str, str], ...]]
"""The name of a sample and its labels in alphabetic order."""


class RequestMetrics:
    """Requests by vendor, kind and outcome with their durations, and the waits for the rate limit."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Histogram(
            f"{NAMESPACE}_request_seconds",
            "Seconds from sending a request to the end of its answer, each try by itself",
            ["vendor", "kind", "outcome"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._waits = Histogram(
            f"{NAMESPACE}_rate_limit_wait_seconds",
            "Seconds that a request waited for the rate limit before it was sent",
            ["vendor"],
            buckets=WAIT_BUCKETS,
            registry=registry,
        )

    def add_try(self, vendor: str, kind: RequestKind, outcome: AttemptOutcome, seconds: float) -> None:
        """One request was sent and ended so."""
        self._requests.labels(vendor, str(kind), str(outcome)).observe(seconds)

    def add_wait(self, vendor: str, seconds: float) -> None:
        """One request got its permission, or was refused it, after so long."""
        self._waits.labels(vendor).observe(seconds)


def metrics_text(families: Iterable[Metric]) -> str:
    """The families in the text format 0.0.4, without the times at which counters were made."""

    class Told(Collector):
        def collect(self) -> Iterable[Metric]:
            return (family_of(family, _told(family)) for family in families)

    return generate_latest(Told()).decode()


def family_of(family: Metric, samples: Sequence[Sample]) -> Metric:
    """The family with these samples instead of its own."""
    made = Metric(family.name, family.documentation, family.type)
    made.samples = list(samples)
    return made


def values_of(families: Iterable[Metric]) -> dict[Series, float]:
    """The value of every sample that ``metrics_text`` tells."""
    return {series_of(each): each.value for family in families for each in _told(family)}


def series_of(sample: Sample) -> Series:
    return sample.name, tuple(sorted(sample.labels.items()))


def added_up(before: Iterable[Metric], now: Iterable[Metric], told: Mapping[Series, float]) -> list[Metric]:
    """What several processes counted together: the families of ``now`` on top of those of ``before``.

    Counters and histograms grow by what ``now`` has more than ``told``, the values that are in ``before``
    already; a gauge becomes what it is now. A histogram with other buckets than before starts anew, as does
    every family that ``before`` lacks.
    """
    earlier = {family.name: family for family in before}
    made = []
    for family in now:
        old = earlier.get(family.name)
        values = values_of([old]) if old is not None and _buckets_fit(old, family) else {}
        for sample in _told(family):
            series = series_of(sample)
            if family.type == "gauge":
                values[series] = sample.value
            else:
                values[series] = values.get(series, 0.0) + sample.value - told.get(series, 0.0)
        samples = [Sample(name, dict(labels), value) for (name, labels), value in values.items()]
        made.append(family_of(family, samples))
    return made


def relabelled(
    families: Iterable[Metric], keep: Callable[[dict[str, str]], dict[str, str] | None]
) -> list[Metric]:
    """The families with the labels that ``keep`` makes of each sample's; None leaves the sample out."""
    made = []
    for family in families:
        pairs = [(each, keep(dict(each.labels))) for each in family.samples]
        made.append(
            family_of(
                family,
                [Sample(each.name, labels, each.value) for each, labels in pairs if labels is not None],
            )
        )
    return made


def _told(family: Metric) -> list[Sample]:
    return [each for each in family.samples if each.name != f"{family.name}_created"]


def _buckets_fit(old: Metric, new: Metric) -> bool:
    ours, theirs = (
        {each.labels["le"] for each in family.samples if "le" in each.labels} for family in (new, old)
    )
    return not ours or not theirs or ours == theirs
