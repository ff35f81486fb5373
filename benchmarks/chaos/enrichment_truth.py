"""What must be true after a schedule of the flow tickets-agreements-sla-sync, by the sandbox's own tables.

Judged is the state after the quiet run. ConnectWise is then as persons left it and is only read by the flow,
so the texts are computed from that state, by ``benchmarks.enrichment_model``. An attaching or detaching that
does not move a ticket's ``lastUpdated`` is seen by a full reconcile only: schedules with such a switch are
drawn with ``full_reconcile``, and nothing is forgiven here.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.chaos.enrichment_reports import judge_reports, judge_written
from benchmarks.chaos.enrichment_scene import ASSETS, Scene, documented, leaves
from benchmarks.chaos.persons_values import PersonsValues, mishaps_of
from benchmarks.chaos.verdict import RunRecord, Verdict
from benchmarks.enrichment_model import FIELDS, TOTALS, TYPES
from deployments.local.sandbox import Sandbox

ALLOWED_WRITES = {"editAsset", "createCustomField"}


class EnrichmentTruth:
    """Made right after the reset; ``judge`` is called once, after the quiet run. ``before``: at the reset."""

    def __init__(self, sandbox: Sandbox, settings: dict[str, Any]) -> None:
        self._sandbox = sandbox
        self._limits = dict(settings.get("text") or {})
        self.before = Scene.of(sandbox)
        sandbox.keep_history(ASSETS)

    def judge(self, runs: list[RunRecord]) -> Verdict:
        """Everything that can be said of the end state and of what the runs told."""
        verdict = Verdict()
        after = Scene.of(self._sandbox)
        persons = PersonsValues(mishaps_of(runs))
        self._judge_texts(verdict, after)
        self._judge_unwritten(verdict, after)
        self._judge_other_values(verdict, after, persons)
        self._judge_fields(verdict, after)
        for run in runs:
            judge_requests(verdict, run)
        judge_reports(verdict, runs, after)
        judge_written(verdict, runs, self._sandbox.history(ASSETS))
        return verdict

    def _judge_texts(self, verdict: Verdict, after: Scene) -> None:
        """Law 3: every asset that one configuration claims has all eleven texts, and they are right."""
        wanted = after.truth.texts(self._limits)
        for key in after.alone():
            has = after.texts(key)
            for name, text in wanted[key].items():
                verdict.checked["law 3"] += 1
                if not same_text(name, has.get(name, ""), text):
                    verdict.faults.append(f"{name} of asset {key} is {has.get(name, '')!r}, not {text!r}")

    def _judge_unwritten(self, verdict: Verdict, after: Scene) -> None:
        """Law 4: an asset that no configuration claims alone has the texts that it had.

        One whose claims persons changed may keep what was written while one configuration claimed it alone.
        """
        before, own = self.before, self.before.truth.configurations
        claimed, claims = before.truth.claims(), after.truth.claims()
        for key in after.assets.keys() - after.alone().keys():
            verdict.checked["law 4"] += 1
            has = after.texts(key)
            if has == (before.texts(key) if key in before.assets else {}):
                continue
            moved = claimed.get(key) != claims.get(key)
            if moved and any(f"recid={each}&" in has.get("cw_configuration_url", "") for each in own):
                verdict.apart["asset that lost its only claim and keeps its texts"] += 1
            else:
                verdict.faults.append(f"Asset {key}, which no configuration claims alone, was given {has}")

    def _judge_other_values(self, verdict: Verdict, after: Scene, persons: PersonsValues) -> None:
        """Law 4: whatever is not one of the eleven texts is as it was, or as a person left it."""
        before, ours = self.before, after.field_keys().keys() | self.before.field_keys().keys()
        marks = Counter[tuple[str, str]]()
        for key, asset in after.assets.items():
            if key not in before.assets:
                verdict.faults.append(f"Asset {key} has appeared")
                continue
            old, new = leaves(before.assets[key], ours), leaves(asset, ours)
            verdict.checked["law 4"] += len(old.keys() | new.keys())
            marks.update((path, repr(value)) for path, value in new.items())
            for path in sorted(old.keys() | new.keys()):
                if old.get(path) != new.get(path) and not persons.explain(path, new.get(path)):
                    verdict.faults.append(
                        f"{path} of asset {key} was {old.get(path)!r} and is {new.get(path)!r}"
                    )
        self._judge_presence(verdict, after, persons)
        for path, value in persons.marks():
            verdict.checked["law 4"] += 1
            if not marks[path, repr(value)]:
                verdict.faults.append(f"No asset has what a person wrote into {path}: {value!r}")

    def _judge_presence(self, verdict: Verdict, after: Scene, persons: PersonsValues) -> None:
        gone = self.before.assets.keys() - after.assets.keys()
        if gone and not persons.deletes:
            verdict.faults.append(f"{len(gone)} assets are gone: {', '.join(sorted(gone)[:3])}")
        for key, members in after.locks.items():
            if new := set(members) - set(self.before.locks.get(key, ())):
                verdict.faults.append(f"Members of asset {key} were locked: {', '.join(sorted(new))}")

    def _judge_fields(self, verdict: Verdict, after: Scene) -> None:
        """Law 3: each documented custom field was made once with its type, and no other one."""
        old = {each["key"]: each for each in self.before.fields}
        new = {each["key"]: each for each in after.fields}
        verdict.faults += [f"Custom field {old[key]['name']} is gone" for key in old.keys() - new.keys()]
        verdict.faults += [
            f"Custom field {old[key]['name']} was changed"
            for key in old.keys() & new.keys()
            if old[key] != new[key]
        ]
        made = [new[key] for key in new.keys() - old.keys()]
        named = Counter(documented(each["name"]) for each in after.fields)
        for name in FIELDS:
            verdict.checked["law 3"] += 1
            if named[name] != 1:
                verdict.faults.append(f"There are {named[name]} custom fields {name}")
        for each in made:
            name = documented(each["name"])
            if not name or each["type"] != TYPES[name]:
                verdict.faults.append(f"Custom field {each['name']} of type {each['type']} was made")


def judge_requests(verdict: Verdict, run: RunRecord) -> None:
    """Law 4: ConnectWise is only read; nothing of Lansweeper is deleted. Laws 2 and 5: quiet and dry runs."""
    connectwise, lansweeper = run.requests["connectwise"], run.requests["lansweeper"]
    verdict.checked["law 4"] += connectwise["requests"]
    if connectwise["writes"]:
        verdict.faults.append(f"A {run.kind} run sent {connectwise['writes']} writes to ConnectWise")
    for name in lansweeper["by"]:
        forbidden = {each for each in name.split("+") if each.startswith(("delete", "create", "edit"))}
        if unknown := forbidden - ALLOWED_WRITES:
            verdict.faults.append(f"A {run.kind} run sent {', '.join(sorted(unknown))} to Lansweeper")
    writes = connectwise["writes"] + lansweeper["writes"]
    if run.kind == "quiet":
        verdict.checked["law 2"] += connectwise["requests"] + lansweeper["requests"]
        if writes:
            verdict.faults.append(f"The quiet run sent {writes} writes")
    if run.mishap is not None and run.mishap.dry_run:
        verdict.checked["law 5"] += connectwise["requests"] + lansweeper["requests"]
        if writes:
            verdict.faults.append(f"A dry run sent {writes} writes")


def same_text(name: str, one: str, other: str) -> bool:
    """Totals by their number, everything else letter by letter."""
    if name in TOTALS and one.strip().isdecimal() and other.isdecimal():
        return int(one) == int(other)
    return one == other
