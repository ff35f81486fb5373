"""Counts what the sandbox was asked: by system, method and path template, or GraphQL root field."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.call import Call

_NUMBER = re.compile(r"(?<=/)\d+(?=/|$)")
_UUID = re.compile(r"(?<=/)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\d+)?(?=/|$)")
_COMPANY_INFO = re.compile(r"(/login/companyinfo/)[^/]+", re.IGNORECASE)


@dataclass
class Counts:
    """One system's counts. ``writes`` are the requests that could have changed something."""

    requests: int = 0
    writes: int = 0
    by: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, writes: bool) -> None:
        self.requests += 1
        self.writes += writes
        self.by[name] += 1

    def as_json(self) -> dict[str, Any]:
        return {"requests": self.requests, "writes": self.writes, "by": dict(sorted(self.by.items()))}


class RequestLedger:
    """Every vendor request counts when it arrives, also when a fault then drops or refuses it.

    ``cpu_seconds`` in its JSON is what the whole process has used since the counts were at zero, and
    ``answering_seconds`` what it used of that to make the answers, by system: the rest is HTTP.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.systems = {name: Counts() for name in ("connectwise", "lansweeper", "field_nation")}
        self._cpu_at_zero = time.process_time()
        self._answering: dict[str, float] = dict.fromkeys(self.systems, 0.0)

    def note(self, call: Call) -> None:
        self.systems[call.system].add(call_name(call), call.writes)

    def spent(self, call: Call, cpu_seconds: float) -> None:
        """So much CPU was used to answer the request."""
        self._answering[call.system] += cpu_seconds

    def as_json(self) -> dict[str, Any]:
        parts = {name: counts.as_json() for name, counts in self.systems.items()}
        total = sum(counts.requests for counts in self.systems.values())
        writes = sum(counts.writes for counts in self.systems.values())
        cpu = {
            "cpu_seconds": round(time.process_time() - self._cpu_at_zero, 3),
            "answering_seconds": {name: round(spent, 3) for name, spent in self._answering.items()},
        }
        return {"total": total, "writes": writes, **cpu, **parts}


def call_name(call: Call) -> str:
    """``GET /company/configurations/{id}``; for Lansweeper ``editAsset``."""
    if call.system == "lansweeper":
        return "+".join(dict.fromkeys(call.paths))
    return f"{call.method} {path_template(call.paths[0])}"


def path_template(path: str) -> str:
    """The path with the ids in it replaced: ``/company/companies/6/sites`` -> ``.../{id}/sites``."""
    return _COMPANY_INFO.sub(r"\1{id}", _UUID.sub("{id}", _NUMBER.sub("{id}", path)))
