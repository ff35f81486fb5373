"""The oracle of asset-synchronization: what must be true at the end and of every report, by the sandbox.

A sentence a fault. Reports are held against what the sandbox saw (docs/spec.md, laws 1, 2 and 5), the end
against the model (law 3) and each configuration's trail (law 4).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

from benchmarks.chaos.asset_matching import Matching, Place, Side, same
from benchmarks.chaos.asset_model import REFERENCES, Field, Model, folded, have, link_of
from benchmarks.chaos.asset_trail import API, Rereads, Trail, members
from benchmarks.chaos.people import CONFIGURATIONS, LANSWEEPER
from benchmarks.chaos.verdict import RunRecord, Verdict, adds_up, requests_of
from deployments.local.sandbox import Sandbox

Entry = dict[str, Any]
OUTCOMES = ("created", "modified", "unchanged", "ambiguous", "skipped", "failed")
Record = dict[str, Any]
SERVER_MEMBERS = ("company", "activeFlag", "status")
"""What a new configuration has beside its mapped fields."""


class Writes:
    """What one run wrote: ids of configurations with the entry of the history, by action."""

    def __init__(self, run: RunRecord, entries: Sequence[Entry]) -> None:
        numbers = requests_of(run)
        own = [each for each in entries if each["request"] in numbers and each["by"] == API]
        self.added = {each["id"]: each for each in own if each["action"] == "added"}
        self.updated = {each["id"] for each in own if each["action"] == "updated"}

    @property
    def anything(self) -> bool:
        return bool(self.added or self.updated)


def judge_counts(
    runs: Sequence[RunRecord], entries: Sequence[Entry], assets: Sequence[int], verdict: Verdict
) -> None:
    """Judge every report; ``assets``: how many the site had, at the start and after each change."""
    told = False
    place = 0
    for number, run in enumerate(runs, start=1):
        name = f"run {number} ({run.kind}, {run.outcome})"
        told = told or "before" in run.requests
        writes = Writes(run, entries)
        faults = [*_quiet_or_dry(run, writes)]
        if run.counts is not None:
            if not adds_up(run.counts, OUTCOMES):
                faults.append(f"its counts do not add up to what was read: {run.counts}")
            place, fault = _asset_number(run, assets, place)
            faults += fault
            if told and not run.is_dry:
                faults += _as_seen(run, run.counts, writes)
            faults += _requests(run)
            verdict.checked["law 1"] += 6
        verdict.faults += [f"{name}: {fault}" for fault in faults]
        verdict.checked["law 2"] += run.kind == "quiet"
        verdict.checked["law 5"] += run.is_dry
    if not told and any(run.requests.get("total") for run in runs):
        verdict.faults.append("The runs' requests do not tell where they begin: the history was not kept")


def _quiet_or_dry(run: RunRecord, writes: Writes) -> Iterator[str]:
    sent = int(run.requests.get("writes", 0))
    if run.kind == "quiet" or run.is_dry:
        law = "2" if run.kind == "quiet" else "5"
        if sent or writes.anything:
            yield f"{sent} write requests were sent, and none may be (law {law})"
    if run.kind == "quiet" and run.counts is not None:
        for outcome in ("created", "modified", "failed"):
            if run.counts[outcome]:
                yield f"its report says {outcome} {run.counts[outcome]}, and nothing was left to do"
    if run.kind == "clean" and run.counts is not None and run.counts["failed"]:
        reasons = [
            f"{each['asset_key']}: {each['message']}" for each in (run.report or {}).get("failures", [])
        ]
        yield f"{run.counts['failed']} assets failed without faults: {'; '.join(reasons)[:300]}"
    if run.kind != "disturbed" and run.counts is None:
        yield f"it has no report: {run.error}"


def _asset_number(run: RunRecord, assets: Sequence[int], place: int) -> tuple[int, list[str]]:
    """The number read must be one that the site had, none from before an earlier run's, the last at last."""
    if run.misread:
        return place, []
    read = (run.counts or {})["read"]
    later = [at for at in range(place, len(assets)) if assets[at] == read]
    if not later or (run.kind != "disturbed" and assets[-1] != read):
        return place, [f"it read {read} assets, and the site had {', '.join(map(str, assets[place:]))}"]
    return later[0], []


def _as_seen(run: RunRecord, counts: dict[str, int], writes: Writes) -> Iterator[str]:
    """Created and modified are what the sandbox saw; what the report calls failed may have been done."""
    room = counts["failed"] if run.kind == "disturbed" else 0
    for outcome, seen in (("created", len(writes.added)), ("modified", len(writes.updated))):
        if not counts[outcome] <= seen <= counts[outcome] + room:
            yield f"its report says {outcome} {counts[outcome]}, and the sandbox saw {seen}"
    report = run.report or {}
    told = report.get("written", [])
    keys = [each["asset_key"] for each in (*told, *report.get("failures", []))]
    if len(set(keys)) != len(keys):
        yield "its report names an asset twice among what was written and what failed"
    if report and len(report.get("failures", [])) != counts["failed"]:
        yield f"{counts['failed']} failed, and its report gives {len(report.get('failures', []))} reasons"
    for each in told:
        seen_ids = writes.added if each["action"] == "created" else writes.updated
        if each["configuration_id"] not in seen_ids:
            yield (
                f"its report says that configuration {each['configuration_id']} of asset "
                f"{each['asset_key']} was {each['action']}, and the sandbox did not see it"
            )


def _requests(run: RunRecord) -> Iterator[str]:
    """Every request of a run arrives in the sandbox before a fault meets it."""
    used = (run.report or {}).get("requests_used")
    served = int(run.requests.get("connectwise", {}).get("requests", 0))
    if used is not None and used != served:
        yield f"its report says {used} ConnectWise requests, and the sandbox served {served}"


class Scene:
    def __init__(self, sandbox: Sandbox, model: Model) -> None:
        self.assets = {str(each["key"]): each for each in sandbox.state(LANSWEEPER)}
        self.configurations = {int(each["id"]): each for each in sandbox.state(CONFIGURATIONS)}
        self.tables = {name: sandbox.state(name) for name, _ in REFERENCES.values()}
        self.own = {
            number: each
            for number, each in self.configurations.items()
            if each["company"]["id"] == sandbox.company_id
        }
        strange = [each for number, each in self.configurations.items() if number not in self.own]
        self.elsewhere = {key for each in strange if (key := link_of(each))}
        model.learn_names(self.tables)
        self.sides = {key: model.asset_side(each) for key, each in self.assets.items()}
        self.others = [model.configuration_side(each) for each in self.own.values()]

    def places(self) -> dict[str, Place]:
        return Matching(self.sides.values(), self.others).places()


class AssetOracle:
    """Knows from the snapshot, the history and the last state what must be there."""

    def __init__(self, sandbox: Sandbox, settings: dict[str, Any]) -> None:
        """Has the sandbox keep its history from now on; ValueError for settings unknown to the model."""
        self._sandbox = sandbox
        self._model = Model(settings)
        self._start = Scene(sandbox, self._model)
        sandbox.keep_history(CONFIGURATIONS, LANSWEEPER)

    def judge(self, runs: list[RunRecord]) -> Verdict:
        verdict = Verdict()
        entries = self._sandbox.history(CONFIGURATIONS)
        scans = self._sandbox.history(LANSWEEPER)
        end = Scene(self._sandbox, self._model)
        trails = self._trails(entries, end, runs)
        _Judgement(self._model, self._start, end, trails, verdict).judge(scans, runs)
        judge_counts(runs, entries, _asset_numbers(len(self._start.assets), scans), verdict)
        return verdict

    def _trails(self, entries: list[Record], end: Scene, runs: list[RunRecord]) -> dict[int, Trail]:
        start = self._start.configurations
        resets = frozenset(self._sandbox.switches()["bulk_put_resets"])
        serves = Rereads(entries, runs).serves
        merged = self._merged(runs)
        trails = {
            number: Trail(number, each, serves, resets=resets, merged=merged)
            for number, each in start.items()
        }
        allowed = _Allowed(self._model, self._start, end, self._sandbox.company_id)
        for entry in entries:
            number = int(entry["id"])
            trail = trails.setdefault(number, Trail(number, None, serves, resets=resets, merged=merged))
            trail.follow(entry, allowed.may_write, patch_only=self._model.patch_only)
        for number, trail in trails.items():
            trail.finish(
                end.configurations.get(number), partial(_ended_early, runs), partial(named_in_report, runs)
            )
        return trails

    def _merged(self, runs: list[RunRecord]) -> frozenset[str]:
        """The members of which an edit is kept; none where a ledger that was lost leaves it to Lansweeper."""
        if any(run.fault_plan is not None and run.fault_plan.ledger for run in runs):
            return frozenset()
        return frozenset(each.member for each in self._model.fields if each.authority == "merge")


class _Allowed:
    def __init__(self, model: Model, start: Scene, end: Scene, company_id: int) -> None:
        self._model = model
        self._assets = (start.assets, end.assets)
        self._company_id = company_id
        self._fields = {each.member: each for each in model.fields}

    def may_write(self, record: Record, member: str, before: Any) -> bool:
        """Whether a write of this member is the mapping's: its authority, and a value to write."""
        field = self._fields.get(member)
        if field is None or record["company"]["id"] != self._company_id:
            return False
        if field.authority == "connectwise" or (field.authority == "fill" and before not in (None, "")):
            return False
        known = [assets[key] for assets in self._assets if (key := link_of(record)) in assets]
        wanted = [self._model.wanted(asset, field) for asset in known]
        return not known or any(each is not None and self._model.is_writable(field, each) for each in wanted)


class _Judgement:
    def __init__(
        self, model: Model, start: Scene, end: Scene, trails: dict[int, Trail], verdict: Verdict
    ) -> None:
        self._model, self._start, self._end = model, start, end
        self._trails, self._verdict = trails, verdict
        self._runs: list[RunRecord] = []

    def judge(self, scans: list[Record], runs: list[RunRecord]) -> None:
        """All laws but those of the reports."""
        self._runs = runs
        places = self._end.places()
        for key, place in places.items():
            self._take("law 3: nothing lost", self._of_asset(key, place))
        self._take("law 3: nothing twice", self._of_start(places))
        self._take("law 3: nothing twice", self._of_creations(scans))
        self._take("law 3: nothing twice", self._of_tables())
        for trail in self._trails.values():
            self._verdict.faults += trail.faults
            self._verdict.checked["law 4"] += trail.checked
            self._verdict.apart.update(trail.apart)
        self._of_quiet(places, runs)

    def _take(self, law: str, found: Iterator[str]) -> None:
        self._verdict.faults += list(found)
        self._verdict.checked[law] += 1

    def _of_asset(self, key: str, place: Place) -> Iterator[str]:
        asset, ids = self._end.assets[key], ", ".join(map(str, place.ids))
        if place.kind == "linked":
            yield from self._of_fields(key, asset, self._end.own[place.ids[0]])
        elif place.kind == "contested":
            if any(self._trails[each].keys.get(key) == "integration" for each in place.ids[1:]):
                yield f"asset {key} has the configurations {ids}"
            else:
                self._verdict.apart["asset with two configurations by persons"] += 1
        elif place.kind == "matched":
            if self._model.can_be_modified(asset, self._end.own[place.ids[0]]):
                yield f"asset {key} is not linked, though configuration {ids} has its {place.on}"
        elif place.kind == "unmatched" and key in self._end.elsewhere:
            self._verdict.apart["asset whose configuration another company has"] += 1
        elif place.kind == "unmatched" and self._model.can_be_created(asset):
            yield f"asset {key} has no configuration, and nothing stands in the way of one"

    def _of_fields(self, key: str, asset: Record, record: Record) -> Iterator[str]:
        """Every value that Lansweeper decides is there; of a skipped asset nothing is written."""
        if not self._model.can_be_modified(asset, record):
            return
        for field, wanted in self._model.written(asset):
            held = have(record, field)
            self._verdict.checked["law 3: nothing lost"] += 1
            if field.authority == "lansweeper" and not same(field.kind, held, wanted):
                yield (
                    f"asset {key}, configuration {record['id']}: {field.target} is {held!r:.80} "
                    f"instead of {wanted!r:.80}"
                )
            elif field.authority == "merge" and not same(field.kind, held, wanted):
                yield from self._of_edit(key, record, field, wanted)
            elif field.authority == "fill" and held in (None, ""):
                yield (
                    f"asset {key}, configuration {record['id']}: {field.target} is empty, "
                    f"and Lansweeper has {wanted!r:.80}"
                )

    def _of_edit(self, key: str, record: Record, field: Field, wanted: Any) -> Iterator[str]:
        """Another value than the asset's is a person's edit, made when both had agreed on the asset's.

        Of a write whose outcome a killed run never learned, an edit may hide that it was not done.
        """
        kept = self._trails[int(record["id"])].keeps_edit(
            field.member, lambda each: same(field.kind, have(each, field), wanted)
        )
        if kept:
            self._verdict.apart["edit that is kept"] += 1
        elif kept is None and any(run.counts is None for run in self._runs):
            self._verdict.apart["edit after a write of unknown outcome"] += 1
        else:
            yield (
                f"asset {key}, configuration {record['id']}: {field.target} is {have(record, field)!r:.80} "
                f"instead of {wanted!r:.80}, on which both sides had not agreed before"
            )

    def _of_start(self, places: dict[str, Place]) -> Iterator[str]:
        """An asset that had one configuration at the start has that one, not a new one beside it."""
        moved = self._moved_keys()
        for key, place in self._start.places().items():
            if place.kind not in ("linked", "matched") or key not in self._end.assets:
                continue
            number = place.ids[0]
            trail = self._trails[number]
            if number not in self._end.own:
                self._verdict.apart["pair of the start whose configuration another company has"] += 1
            elif trail.gone or trail.keys_moved or trail.freed or moved & set(self._start.sides[key].forms):
                self._verdict.apart["pair of the start that persons or scans disturbed"] += 1
            elif not self._model.can_be_modified(self._end.assets[key], self._end.own[number]):
                continue
            elif places[key].kind not in ("linked", "contested") or number not in places[key].ids:
                now = ", ".join(map(str, places[key].ids)) or "none"
                yield f"asset {key} belongs to configuration {number} from the start, and has {now}"
            self._verdict.checked["law 3: nothing twice"] += 1

    def _moved_keys(self) -> set[str]:
        """Serial numbers, MAC addresses and names that came, went or moved, on either side, by others."""
        sides: list[Side] = []
        for key in self._start.sides.keys() | self._end.sides.keys():
            pair = self._start.sides.get(key), self._end.sides.get(key)
            if pair[0] != pair[1]:
                sides += [each for each in pair if each is not None]
        for trail in self._trails.values():
            if trail.keys_moved or (trail.gone and trail.made is None):
                sides += [self._model.configuration_side(each) for each in trail.images]
        return {form for side in sides for form in side.forms if form}

    def _of_creations(self, scans: list[Record]) -> Iterator[str]:
        """Each new configuration is an asset's, one for each, and one more for each that a person took."""
        known = self._start.assets.keys() | self._end.assets.keys() | {str(each["id"]) for each in scans}
        made: dict[str, list[int]] = defaultdict(list)
        freed: Counter[str] = Counter()
        for trail in self._trails.values():
            freed.update(trail.freed)
            if trail.made is not None:
                made[link_of(trail.made["record"])].append(trail.id)
                yield from self._of_new(trail)
        for key, ids in made.items():
            self._verdict.checked["law 3: nothing twice"] += 1
            if key not in known:
                yield f"configuration {ids[0]} was created for asset {key!r}, which never was"
            if len(ids) > 1 + freed[key]:
                yield f"asset {key} got {len(ids)} new configurations: {', '.join(map(str, ids))}"

    def _of_new(self, trail: Trail) -> Iterator[str]:
        """A new configuration has what is mapped and nothing else."""
        record = (trail.made or {})["record"]
        mapped = {each.member: each for each in self._model.fields}
        for name, value in members(record).items():
            self._verdict.checked["law 4"] += 1
            if name not in mapped and name not in SERVER_MEMBERS and value not in (None, "", False, 0):
                yield f"configuration {trail.id} was created with {name} {value!r:.80}, which is not mapped"
        key = link_of(record)
        assets = [each[key] for each in (self._start.assets, self._end.assets) if key in each]
        for field in (each for each in self._model.fields if each.authority == "connectwise"):
            if assets and not self._is_of(field, have(record, field), assets):
                yield (
                    f"asset {key}: its configuration {trail.id} was created with {field.target} "
                    f"{have(record, field)!r:.80} instead of {self._model.wanted(assets[-1], field)!r:.80}"
                )

    def _is_of(self, field: Field, held: Any, assets: list[Record]) -> bool:
        """Whether a created value is an asset's; nothing, where ConnectWise can't hold the asset's value."""
        wanted = [self._model.wanted(each, field) for each in assets]
        left_out = [each is not None and not self._model.is_writable(field, each) for each in wanted]
        return any(same(field.kind, held, each) for each in wanted) or (held in (None, "") and any(left_out))

    def _of_tables(self) -> Iterator[str]:
        """Reference records: none changed or lost, none of a name that was there, none that nobody wants."""
        for target, (name, member) in REFERENCES.items():
            before = {each["id"]: each for each in self._start.tables[name]}
            after = {each["id"]: each for each in self._end.tables[name]}
            self._verdict.checked["law 3: nothing twice"] += len(after)
            for number, each in before.items():
                if members(after.get(number, {})) != members(each):
                    yield f"{name} {number} ({each.get(member)}) was changed or deleted"
            new = Counter(folded(each.get(member)) for each in after.values())
            new -= Counter(folded(each.get(member)) for each in before.values())
            old = {folded(each.get(member)) for each in before.values()}
            for words, number in new.items():
                if number > 1 or words in old:
                    yield f"{name}: {words!r} was made {number} times, beside {int(words in old)} before"
            yield from self._unwanted(target, set(new))

    def _unwanted(self, target: str, new: set[str]) -> Iterator[str]:
        field = next((each for each in self._model.fields if each.target == target), None)
        assets = [*self._start.assets.values(), *self._end.assets.values()]
        wanted = {folded(self._model.wanted(each, field)) for each in assets} if field else set()
        for words in sorted(new - wanted):
            yield f"{REFERENCES[target][0]}: {words!r} was made, and no asset has it"

    def _of_quiet(self, places: dict[str, Place], runs: list[RunRecord]) -> None:
        """What the last report says of assets that can't be decided or written is what the model says."""
        counts = next((each.counts for each in reversed(runs) if each.kind == "quiet"), None)
        if counts is None:
            return
        kinds = Counter(self._ending(key, place) for key, place in places.items())
        for outcome in ("unchanged", "ambiguous", "skipped"):
            self._verdict.checked["law 1"] += 1
            if counts[outcome] != kinds[outcome]:
                self._verdict.faults.append(
                    f"The quiet run says {outcome} {counts[outcome]}, and the model says {kinds[outcome]}"
                )

    def _ending(self, key: str, place: Place) -> str:
        asset = self._end.assets[key]
        if place.kind in ("ambiguous", "contested"):
            return "ambiguous"
        if place.kind == "unmatched" and key in self._end.elsewhere:
            return "skipped"
        if place.kind == "unmatched":
            return "lost" if self._model.can_be_created(asset) else "skipped"
        fits = self._model.can_be_modified(asset, self._end.own[place.ids[0]])
        return "unchanged" if fits else "skipped"


def _ended_early(runs: list[RunRecord], entry: Record) -> bool:
    """Whether the run that sent the request has no report: it was killed, or an exception ended it."""
    return any(run.counts is None and entry["request"] in requests_of(run) for run in runs)


def named_in_report(runs: list[RunRecord], entry: Record, number: int, name: str) -> bool:
    """Whether the report of the run that sent the request names that member of it as one to look at."""
    notes = (
        note
        for run in runs
        if run.report is not None and entry["request"] in requests_of(run)
        for note in run.report.get("notes", ())
    )
    named = re.compile(
        rf"configurations (\d+, )*{number}\b.*\b{re.escape(name)}\b|"
        rf"\b{re.escape(name)}\b.*configurations (\d+, )*{number}\b"
    )
    return any("see whether" in note and named.search(note) for note in notes)


def _asset_numbers(start: int, scans: list[Record]) -> list[int]:
    steps = {"added": 1, "deleted": -1, "updated": 0}
    return [*accumulate((steps[each["action"]] for each in scans), initial=start)]
