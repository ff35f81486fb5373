"""Law 1: what the reports of an enrichment say, held against each other, the requests and the end state."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.chaos.enrichment_scene import Scene
from benchmarks.chaos.verdict import COMPLETED, RunRecord, Verdict, requests_of
from benchmarks.enrichment_model import FIELDS

OUTCOMES = ("updated", "unchanged", "failed", "asset_gone", "no_asset_id", "contested")


def judge_reports(verdict: Verdict, runs: list[RunRecord], after: Scene) -> None:
    """Every report of every run; those of the clean and the quiet run against the end state too."""
    told = [_Told(verdict, run) for run in runs if run.report is not None]
    for each in told:
        each.judge()
    made = Counter(name for each in told if not each.dry for name in each.report["fields_created"])
    _say(verdict, [f"{name} was reported as made {n} times" for name, n in made.items() if n > 1])
    for run in runs:
        if run.kind != "disturbed":
            _judge_last(verdict, run, after)
        elif run.counts is not None:
            _say(verdict, [] if _adds_up(run.counts) else [f"A disturbed run counted {run.counts}"])


class _Told:
    """One run and its report."""

    def __init__(self, verdict: Verdict, run: RunRecord) -> None:
        self.verdict = verdict
        self.run = run
        self.report: dict[str, Any] = run.report or {}
        self.counts: dict[str, int] = self.report["counts"]
        self.dry = bool(self.report["dry_run"])

    def judge(self) -> None:
        self._sum()
        self._records()
        self._requests()
        self._name()

    def _fact(self, right: bool, fault: str) -> None:
        self.verdict.checked["law 1"] += 1
        if not right:
            self.verdict.faults.append(f"The report of a {self.run.kind} run: {fault}")

    def _sum(self) -> None:
        total = sum(self.counts[name] for name in OUTCOMES)
        self._fact(total == self.counts["read"], f"{total} outcomes for {self.counts['read']} read")
        self._fact(min(self.counts.values()) >= 0, f"negative counts {self.counts}")

    def _records(self) -> None:
        """The records named are as many as are counted, each once."""
        written = [each["asset_key"] for each in self.report["written"]]
        failed = [each["asset_key"] for each in self.report["failures"]]
        updated = 0 if self.dry else self.counts["updated"]
        self._fact(len(written) == updated, f"{len(written)} assets named, {updated} counted as updated")
        self._fact(len(failed) == self.counts["failed"], f"{len(failed)} failures named, {self.counts}")
        both = len({*written, *failed})
        self._fact(both == len(written) + len(failed), "an asset is named twice")
        unknown = set(self.report["fields_created"]) - set(FIELDS)
        self._fact(not unknown, f"fields that nobody asked for: {unknown}")

    def _requests(self) -> None:
        """Requests and mutations are those that the vendors served, repeated ones included."""
        connectwise, lansweeper = self.run.requests["connectwise"], self.run.requests["lansweeper"]
        for told, served in (
            ("connectwise_used", connectwise["requests"]),
            ("lansweeper_used", lansweeper["requests"]),
            ("mutations", lansweeper["writes"]),
        ):
            self._fact(self.report[told] == served, f"{told} {self.report[told]}, served {served}")
        edits = sum(number for name, number in lansweeper["by"].items() if "editAsset" in name)
        enough = edits > 0 or not self.report["written"]
        self._fact(enough, f"{len(self.report['written'])} assets written without an edit")

    def _name(self) -> None:
        failed = self.counts["failed"]
        wanted = f"Finished with {failed} failure{'s' if failed != 1 else ''}" if failed else COMPLETED
        self._fact(self.run.outcome == wanted, f"the state is {self.run.outcome}, not {wanted}")


def _judge_last(verdict: Verdict, run: RunRecord, after: Scene) -> None:
    """Nothing has changed since the clean run began, so its outcomes are known one by one."""
    verdict.checked["law 1"] += 1
    if run.outcome != COMPLETED or run.counts is None:
        verdict.faults.append(f"The {run.kind} run ended as {run.outcome}: {run.error or 'no report'}")
        return
    known = after.outcomes()
    done = run.counts["updated"] + run.counts["unchanged"]
    told = {name: run.counts[name] for name in known if name != "alone"} | {"alone": done}
    verdict.checked["law 1"] += len(told)
    if told != known:
        verdict.faults.append(f"The {run.kind} run counted {told}, there are {known}")
    written = {each["asset_key"] for each in (run.report or {}).get("written", ())}
    if strangers := written - after.alone().keys():
        verdict.faults.append(f"The {run.kind} run wrote assets that it must not: {sorted(strangers)[:3]}")
    if run.kind == "quiet" and run.counts["updated"]:
        verdict.faults.append(f"The quiet run counted {run.counts['updated']} as updated")


def judge_written(verdict: Verdict, runs: list[RunRecord], history: list[dict[str, Any]]) -> None:
    """Whatever a report calls updated Lansweeper edited during that run; all else that it edited has failed.

    ``history``: of the assets. A killed run and a dry one name nothing.
    """
    edits = [(each["request"], each["id"]) for each in history if each["action"] == "updated"]
    for run in runs:
        if run.report is None:
            continue
        numbers = requests_of(run)
        edited = {key for number, key in edits if number in numbers}
        written = {each["asset_key"] for each in run.report["written"]}
        failed = {each["asset_key"] for each in run.report["failures"]}
        verdict.checked["law 1"] += len(edited | written)
        for words, keys in (
            ("calls updated what Lansweeper did not edit", written - edited),
            ("does not name what Lansweeper edited", edited - written - failed),
        ):
            named = ", ".join(sorted(keys)[:3])
            verdict.faults += [f"The report of a {run.kind} run {words}: {named}"] if named else []


def _adds_up(counts: dict[str, int]) -> bool:
    return sum(counts[name] for name in OUTCOMES) == counts["read"] and min(counts.values()) >= 0


def _say(verdict: Verdict, faults: list[str]) -> None:
    verdict.checked["law 1"] += 1
    verdict.faults += faults
