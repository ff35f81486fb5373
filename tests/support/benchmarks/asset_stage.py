"""A sandbox on which a synchronization is played, and its oracle, which judges what was played."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.chaos.asset_model import link_of
from benchmarks.chaos.asset_oracle import AssetOracle
from benchmarks.chaos.verdict import RunRecord, Verdict
from deployments.local.sandbox import Sandbox
from tests.support.benchmarks.little_sync import LittleSync

NAME = "company/configurations"


class Stage:
    """A fresh sandbox with its oracle, and a synchronization to run on it."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client, **settings: Any) -> None:
        self.sandbox, self.http = sandbox, http
        self.begin(**settings)

    def begin(self, **settings: Any) -> None:
        """The same data once more."""
        self.sandbox.reset(seed=3, assets=28)
        self._used: set[int] = set()
        self.oracle = AssetOracle(self.sandbox, settings)
        self.sync = LittleSync(self.sandbox, self.http, settings)

    def runs(self, **first: Any) -> list[RunRecord]:
        """A clean and a quiet run."""
        return [self.sync.run("clean", **first), self.sync.run("quiet")]

    def judge(self, runs: list[RunRecord]) -> Verdict:
        return self.oracle.judge(runs)

    def own(self) -> list[dict[str, Any]]:
        records = self.sandbox.state(NAME)
        return [each for each in records if each["company"]["id"] == self.sandbox.company_id]

    def linked(self, hand_made: bool = True) -> dict[str, Any]:
        """A configuration that carries a key, and that was there before or was created; each time another."""
        return self.another(lambda each: bool(each.get("tagNumber")) is hand_made)

    def another(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """A linked configuration that no fault was planted into."""
        linked = [each for each in self.own() if link_of(each) and each["id"] not in self._used]
        found = next(each for each in linked if fits(each))
        self._used.add(found["id"])
        return found
