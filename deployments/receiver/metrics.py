"""Counters of the receiver in the text format of Prometheus.

Every message ends in exactly one of handed over, duplicate, refused, put off; ``received`` is their sum and
those that are being worked on.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from connectors.ledger.models import InboxState
from connectors.ledger.request_history import DayOfRequests

METRIC_PREFIX = "connectwise_flows_receiver"
LOG_EVERY = 10.0
"""Seconds between two log lines of one kind: whoever sends rubbish must not fill the disk."""
_HELP = {
    "received": "Messages that came in",
    "handed_over": "Messages kept in the inbox for the flows",
    "duplicates": "Messages that were kept already",
    "refused": "Messages that are not believed or can't be read, by reason",
    "put_off": "Messages that the sender was asked to send again, by reason",
}
_OF_DAY = {
    "requests": "Requests of all processes to a vendor in the last 24 hours",
    "waits": "Calls that waited for the request limit in the last 24 hours",
    "waited_seconds": "Seconds that calls waited for the request limit in the last 24 hours",
    "refused": "Answers with status 429 in the last 24 hours",
}
logger = logging.getLogger("deployments.receiver")


class MessageCounts:
    """Counters since the start of this process, by source and reason."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._counts: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in _HELP}
        self._monotonic = monotonic
        self._logged: dict[tuple[str, ...], float] = {}

    def add(self, name: str, source: str, reason: str = "", detail: str = "") -> None:
        """Counts one; refused and put off ones are logged too, now and then."""
        self._counts[name][source, reason] += 1
        if name in ("refused", "put_off"):
            self._log(name, source, reason, detail)

    def of(self, name: str, source: str | None = None, reason: str | None = None) -> int:
        """The sum over sources and reasons that are not given."""
        counted = self._counts[name].items()
        return sum(
            number
            for (its_source, its_reason), number in counted
            if source in (None, its_source) and reason in (None, its_reason)
        )

    def text(self, inbox: Mapping[str, int] | None = None) -> str:
        """All counters, and the messages in the inbox by state if they are known."""
        lines = [line for name in _HELP for line in self._lines(name)]
        if inbox is not None:
            lines += _head("inbox_messages", "Messages in the ledger's inbox, by state", "gauge")
            for state in get_args(InboxState):
                lines.append(f'{METRIC_PREFIX}_inbox_messages{{state="{state}"}} {inbox.get(state, 0)}')
        return "\n".join(lines) + "\n"

    def _lines(self, name: str) -> Iterator[str]:
        yield from _head(f"{name}_total", _HELP[name], "counter")
        for (source, reason), number in sorted(self._counts[name].items()):
            labels = f'source="{source}"' + (f',reason="{reason}"' if reason else "")
            yield f"{METRIC_PREFIX}_{name}_total{{{labels}}} {number}"

    def _log(self, *kind: str) -> None:
        now = self._monotonic()
        if now - self._logged.get(kind[:3], -LOG_EVERY) < LOG_EVERY:
            return
        self._logged[kind[:3]] = now
        name, source, reason, detail = kind
        words = f"{name.replace('_', ' ')}: {reason}{f', {detail}' if detail else ''}"
        logger.warning("A message of %s was %s (%d so far)", source, words, self.of(name, source, reason))


def requests_text(days: Mapping[str, DayOfRequests]) -> str:
    """What all processes of the ledger sent to the vendors in the last day, by the key of the budget."""
    lines = []
    for name, words in _OF_DAY.items():
        lines += _head(f"vendor_{name}_of_day", words, "gauge")
        lines += [
            f'{METRIC_PREFIX}_vendor_{name}_of_day{{budget="{key}"}} {getattr(day, name):g}'
            for key, day in sorted(days.items())
        ]
    return "\n".join(lines) + "\n" if days else ""


def _head(name: str, words: str, kind: str) -> list[str]:
    return [f"# HELP {METRIC_PREFIX}_{name} {words}.", f"# TYPE {METRIC_PREFIX}_{name} {kind}"]
