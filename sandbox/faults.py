"""Fault rules: which requests are disturbed, and how.

A rule is a JSON object, as ``PUT /_sandbox/faults`` takes it:

    {"system": "connectwise", "method": "POST", "path": "/company/configurations/bulk",
     "nth": [2], "fault": {"kind": "drop_after"}}

``system``, ``method``, ``path`` (a glob over the path under the API root, or over Lansweeper's root fields)
and ``query`` (a glob over ConnectWise's query in clear) choose the requests; ``nth`` (from 1), ``every``,
``share`` (0 to 1) and ``limit`` (most times) choose among those. All rules that apply to a request are
applied together.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sandbox.call import Call
from sandbox.counting import path_template

Fault = dict[str, Any]

# Each kind of fault with the members it can't do without.
KINDS: dict[str, frozenset[str]] = {
    "status": frozenset({"status"}),
    "delay": frozenset({"seconds"}),
    "drop_before": frozenset(),
    "drop_after": frozenset(),
    "late": frozenset(),
    "partial": frozenset(),
    "edit": frozenset({"collection"}),
}
_RULE_MEMBERS = frozenset({"system", "method", "path", "query", "nth", "every", "share", "limit", "fault"})


@dataclass
class Rule:
    """One rule with its own count of the requests it has seen."""

    fault: Fault
    system: str | None = None
    method: str | None = None
    path: str | None = None
    query: str | None = None
    nth: frozenset[int] = frozenset()
    every: int | None = None
    share: float | None = None
    limit: int | None = None
    draw: random.Random = field(default_factory=random.Random)
    seen: int = 0
    fired: int = 0

    def take(self, call: Call) -> bool:
        """Whether this request is disturbed; a request that matches is counted."""
        if not self._matches(call):
            return False
        self.seen += 1
        if (self.limit is not None and self.fired >= self.limit) or not self._is_turn():
            return False
        self.fired += 1
        return True

    def _matches(self, call: Call) -> bool:
        if self.system not in (None, call.system) or self.method not in (None, call.method):
            return False
        if self.query is not None and not fnmatchcase(call.query.lower(), self.query.lower()):
            return False
        if self.path is None:
            return True
        pattern = self.path.lower()
        names = {name.lower() for path in call.paths for name in (path, path_template(path))}
        return any(fnmatchcase(name, pattern) for name in names)

    def _is_turn(self) -> bool:
        if self.nth:
            return self.seen in self.nth
        if self.every is not None:
            return self.seen % self.every == 0
        return self.share is None or self.draw.random() < self.share


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def set(self, rules: list[dict[str, Any]], seed: int) -> None:
        """Put these rules in the place of all before.

        Raises:
            ValueError: a rule that is not one, in words.
        """
        self._rules = [read_rule(rule, random.Random(f"{seed}-fault-{n}")) for n, rule in enumerate(rules)]

    def take(self, call: Call) -> list[Fault]:
        """The faults for this request, in the order of their rules."""
        return [rule.fault for rule in self._rules if rule.take(call)]

    def as_json(self) -> list[dict[str, Any]]:
        """How often each rule matched and was applied."""
        return [{"fault": rule.fault, "seen": rule.seen, "fired": rule.fired} for rule in self._rules]


def read_rule(rule: Any, draw: random.Random) -> Rule:
    """Read one rule. Raises ``ValueError`` naming the member that is wrong."""
    if not isinstance(rule, dict) or not isinstance(rule.get("fault"), dict):
        raise ValueError(f"a fault rule is an object with a fault: {rule!r}")
    unknown = sorted(set(rule) - _RULE_MEMBERS)
    if unknown:
        raise ValueError(f"a fault rule has no member {', '.join(unknown)}")
    kind = rule["fault"].get("kind")
    if kind not in KINDS:
        raise ValueError(f"no such kind of fault: {kind}; there are {', '.join(sorted(KINDS))}")
    missing = sorted(KINDS[kind] - set(rule["fault"]))
    if kind == "edit" and not {"set", "delete"} & set(rule["fault"]):
        missing.append("set or delete")
    if missing:
        raise ValueError(f"a fault of kind {kind} needs {', '.join(missing)}")
    members = {name: value for name, value in rule.items() if name != "nth"}
    return Rule(**members, nth=_numbers(rule.get("nth")), draw=draw)


def _numbers(nth: Any) -> frozenset[int]:
    if nth is None:
        return frozenset()
    return frozenset([nth] if isinstance(nth, int) else nth)
