"""The oracle of tickets-agreements-sla-sync: what must be true after a schedule, by the sandbox's own tables.

Judged is the state after the quiet run. ConnectWise is then as persons left it and is only read by the
flow, so the texts are computed from that state, by ``benchmarks.performance.enrichment_model``. An
attaching or detaching that does not move a ticket's ``lastUpdated`` is seen by a full reconcile only:
schedules with such a switch are drawn with ``full_reconcile``, and nothing is forgiven here. Reports are held
against each other, the requests and the end state (docs/spec.md, law 1).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos.people import LANSWEEPER
from benchmarks.chaos.schedule import FaultPlan
from benchmarks.chaos.verdict import COMPLETED, RunRecord, Verdict, adds_up, requests_of
from benchmarks.performance.enrichment_model import FIELDS, TOTALS, TYPES, EnrichmentModel
from deployments.local.sandbox import Sandbox

Asset = dict[str, Any]
CUSTOM_FIELDS = "lansweeper/customFields"
LOCKS = "lansweeper/locks"
ENTRIES = "assetCustom.fields"
"""Where an asset's custom fields stand: a list of ``{"fieldKey", "name", "value"}``."""
OUTCOMES = ("updated", "unchanged", "failed", "asset_gone", "no_asset_id", "contested", "skipped")
ALLOWED_WRITES = {"editAsset", "createCustomField"}
CHANGED_AT = "assetBasicInfo.lastUpdated"
"""When an asset was last changed by anyone: Lansweeper moves it with every edit."""


@dataclass(frozen=True)
class Scene:
    """``assets`` by key, ``fields`` the custom fields, ``locks`` members of assets that edits locked."""

    assets: dict[str, Asset]
    fields: list[dict[str, Any]]
    locks: dict[str, list[str]]
    model: EnrichmentModel

    @classmethod
    def of(cls, sandbox: Sandbox) -> Scene:
        return cls(
            assets={each["key"]: each for each in sandbox.state(LANSWEEPER)},
            fields=sandbox.state(CUSTOM_FIELDS),
            locks={each["key"]: each["members"] for each in sandbox.state(LOCKS)},
            model=EnrichmentModel(sandbox),
        )

    def field_keys(self) -> dict[str, str]:
        """Keys of the custom fields with a documented name -> that name."""
        return {each["key"]: name for each in self.fields if (name := documented(each["name"]))}

    def texts(self, key: str) -> dict[str, str]:
        """The documented texts that an asset has, by the name of the field."""
        names = self.field_keys()
        entries = (self.assets[key].get("assetCustom") or {}).get("fields") or []
        return {names[each["fieldKey"]]: str(each["value"]) for each in entries if each["fieldKey"] in names}

    def outcomes(self) -> dict[str, int]:
        """How many configurations of the company a run has to count as what; ``alone`` are those written."""
        claims, known = self.model.claims(), self.assets
        there = {key: len(ids) for key, ids in claims.items() if key in known}
        linked = sum(map(len, claims.values()))
        return {
            "read": len(self.model.configurations),
            "no_asset_id": len(self.model.configurations) - linked,
            "asset_gone": linked - sum(there.values()),
            "contested": sum(number for number in there.values() if number > 1),
            "alone": sum(number == 1 for number in there.values()),
        }

    def alone(self) -> dict[str, int]:
        """The assets that exactly one configuration of the company claims, with its id."""
        claims = self.model.claims()
        return {key: ids[0] for key, ids in claims.items() if len(ids) == 1 and key in self.assets}


def documented(name: str | None) -> str:
    """The documented field that this name means: Lansweeper takes no notice of case and outer blanks."""
    folded = (name or "").strip().casefold()
    return folded if folded in FIELDS else ""


def leaves(record: Any, left_out: Collection[str] = (), path: str = "") -> dict[str, Any]:
    """Every value of an asset by its path; a custom field stands at ``assetCustom.fields[key]``.

    Absent, null and empty objects are the same. ``left_out``: keys of custom fields that do not count.
    """
    if path == ENTRIES:
        shown = [each for each in record or () if each["fieldKey"] not in left_out]
        return {f"{ENTRIES}[{each['fieldKey']}]": each["value"] for each in shown}
    if not isinstance(record, dict):
        return {} if record is None else {path: record}
    found: dict[str, Any] = {}
    for name, value in record.items():
        found |= leaves(value, left_out, f"{path}.{name}" if path else name)
    return found


class PersonsValues:
    """The values that persons may have left at each path; None: they may have emptied it."""

    def __init__(self, injected: Iterable[FaultPlan]) -> None:
        self._values: dict[str, list[Any]] = defaultdict(list)
        self._certain: list[tuple[str, Any]] = []
        self.deletes = False
        for action, certain in _actions(injected):
            self.deletes = self.deletes or bool(action.get("delete"))
            for path, value in _flat(action.get("set") or {}).items():
                self._values[path].append(value)
                if certain and value is not None and not path.startswith(ENTRIES):
                    self._certain.append((path, value))

    def explain(self, path: str, value: Any) -> bool:
        if value in self._values.get(path, ()):
            return True
        whole = ENTRIES if path.startswith(f"{ENTRIES}[") else path
        # A person who sets all custom fields at once takes away those that he does not name.
        return value is None and any(each is None or whole == ENTRIES for each in self._values.get(whole, ()))

    def marks(self) -> Iterator[tuple[str, Any]]:
        """Values that were certainly written and that nobody wrote over: an asset still has to have them."""
        for path, value in self._certain:
            if not self.deletes and len(self._values[path]) == 1:
                yield path, value


def _actions(injected: Iterable[FaultPlan]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Persons' edits and deletions of assets, and whether they happened in any case: between the runs."""
    for fault_plan in injected:
        during = [rule["fault"] for rule in fault_plan.faults if rule["fault"]["kind"] == "edit"]
        for each, certain in [*((one, False) for one in during), *((one, True) for one in fault_plan.people)]:
            if each.get("collection") == LANSWEEPER:
                yield _as_edit(each), certain
            elif "retire" in each.get("kinds", ()):
                yield {"delete": True}, certain


def _as_edit(action: dict[str, Any]) -> dict[str, Any]:
    if action.get("do") == "delete":
        return {"delete": True}
    changes = action.get("set", action.get("changes"))
    return {"set": changes, "delete": action.get("delete", False)}


def _flat(changes: dict[str, Any]) -> dict[str, Any]:
    """Dotted paths and nested objects alike, by their full paths; nulls are kept."""
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if name == ENTRIES:
            found |= {ENTRIES: value, **leaves(value, (), ENTRIES)}
        elif isinstance(value, dict):
            found |= _flat({f"{name}.{member}": each for member, each in value.items()})
        else:
            found[name] = value
    return found


def plans_of(runs: Sequence[Any]) -> list[FaultPlan]:
    """The fault plans of the disturbed runs, in their order."""
    return [each.fault_plan for each in runs if each.fault_plan is not None]


def judge_reports(verdict: Verdict, runs: list[RunRecord], after: Scene) -> None:
    """Every report of every run; those of the clean and the quiet run against the end state too."""
    told = [_ReportCheck(verdict, run) for run in runs if run.report is not None]
    for each in told:
        each.judge()
    made = Counter(name for each in told if not each.dry for name in each.report["fields_created"])
    _say(verdict, [f"{name} was reported as made {n} times" for name, n in made.items() if n > 1])
    for run in runs:
        if run.kind != "disturbed":
            _judge_last(verdict, run, after)
        elif run.counts is not None:
            right = adds_up(run.counts, OUTCOMES)
            _say(verdict, [] if right else [f"A disturbed run counted {run.counts}"])


class _ReportCheck:
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
        total = sum(self.counts.get(name, 0) for name in OUTCOMES)
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
    if unclaimed := written - after.alone().keys():
        verdict.faults.append(f"The {run.kind} run wrote assets that it must not: {sorted(unclaimed)[:3]}")
    if run.kind == "quiet" and run.counts["updated"]:
        verdict.faults.append(f"The quiet run counted {run.counts['updated']} as updated")


def judge_written(verdict: Verdict, runs: list[RunRecord], history: list[dict[str, Any]]) -> None:
    """What a report calls updated Lansweeper edited during that run; all else that it edited has failed."""
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


def _say(verdict: Verdict, faults: list[str]) -> None:
    verdict.checked["law 1"] += 1
    verdict.faults += faults


class EnrichmentOracle:
    """Made right after the reset; ``judge`` is called once, after the quiet run. ``before``: at the reset."""

    def __init__(self, sandbox: Sandbox, settings: dict[str, Any]) -> None:
        self._sandbox = sandbox
        self._limits = dict(settings.get("text") or {})
        self.before = Scene.of(sandbox)
        sandbox.keep_history(LANSWEEPER)

    def judge(self, runs: list[RunRecord]) -> Verdict:
        verdict = Verdict()
        after = Scene.of(self._sandbox)
        persons = PersonsValues(plans_of(runs))
        self._judge_texts(verdict, after)
        self._judge_unwritten(verdict, after)
        self._judge_other_values(verdict, after, persons)
        self._judge_fields(verdict, after)
        for run in runs:
            judge_requests(verdict, run)
        judge_reports(verdict, runs, after)
        judge_written(verdict, runs, self._sandbox.history(LANSWEEPER))
        return verdict

    def _judge_texts(self, verdict: Verdict, after: Scene) -> None:
        """Law 3: every asset that one configuration claims has all eleven texts, and they are right."""
        wanted = after.model.texts(self._limits)
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
        before, own = self.before, self.before.model.configurations
        claimed, claims = before.model.claims(), after.model.claims()
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
            for path in sorted((old.keys() | new.keys()) - {CHANGED_AT}):
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
    if run.is_dry:
        verdict.checked["law 5"] += connectwise["requests"] + lansweeper["requests"]
        if writes:
            verdict.faults.append(f"A dry run sent {writes} writes")


def same_text(name: str, one: str, other: str) -> bool:
    """Totals by their number, everything else letter by letter."""
    if name in TOTALS and one.strip().isdecimal() and other.isdecimal():
        return int(one) == int(other)
    return one == other
