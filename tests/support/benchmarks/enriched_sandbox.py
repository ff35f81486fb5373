"""A sandbox held in the test's own process, and an enrichment done by hand: quick to build and to spoil."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.chaos.enrichment_oracle import EnrichmentOracle, Scene
from benchmarks.chaos.schedule import FaultPlan
from benchmarks.chaos.verdict import COMPLETED, RunRecord, Verdict
from benchmarks.performance.enrichment_model import FIELDS, TYPES
from deployments.local.sandbox import Sandbox
from sandbox.credentials import mint_credentials
from sandbox.data.generate import build_world
from sandbox.data.provider import RUN_COMPANY
from sandbox.editing import edit
from sandbox.lansweeper.writes import SiteWriter
from sandbox.world import history_of, wire_records

ASSETS = 30
REQUESTS = 13
"""Of each run, to both vendors."""
Spoil = Callable[["EnrichedSandbox"], None]


class HeldSandbox(Sandbox):
    """The control addresses ``state`` and ``history`` without a server.

    ``unseen``: keys of assets whose edits the history does not tell.
    """

    def __init__(self, seed: int = 3) -> None:
        self.unseen: set[str] = set()
        self.world = build_world(seed, ASSETS, mint_credentials(seed), scenario="enrichment", tickets=25)
        self.info = {
            "connectwise": {"site": "http://127.0.0.1:1", "company_id": "sandbox"},
            "companies": [{"id": RUN_COMPANY, "identifier": "BlueLightCo"}],
        }

    def state(self, collection: str) -> list[dict[str, Any]]:
        records = wire_records(self.world, collection)
        # ConnectWise's are rendered anew each time, Lansweeper's are the stored ones.
        return json.loads(json.dumps(records)) if collection.startswith("lansweeper/") else records

    def keep_history(self, *collections: str) -> None:
        self.world.history.keep(collections)

    def history(self, collection: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = history_of(self.world, collection)["entries"]
        return [each for each in entries if each["id"] not in self.unseen]


class EnrichedSandbox:
    """A schedule of one disturbed, one clean and one quiet run, all of them right until they are spoilt."""

    def __init__(self, **settings: Any) -> None:
        self.sandbox = HeldSandbox()
        self.store = self.sandbox.world.lansweeper
        self.writer = SiteWriter(self.store, seed=1)
        self.oracle = EnrichmentOracle(self.sandbox, settings)
        self.scene = self.oracle.before
        self.keys: dict[str, str] = {}
        self.runs: list[RunRecord] = []
        self.fault_plan = FaultPlan()

    def enrich(self) -> None:
        """Make the fields and write every text, as the flow does."""
        for name in FIELDS:
            if name not in self.keys:
                field = {"name": name, "type": TYPES[name]}
                self.keys[name] = self.writer.create_custom_field(None, field)["key"]  # type: ignore[arg-type]
        self.scene = Scene.of(self.sandbox)
        wanted = self.scene.model.texts()
        self.begin_request(REQUESTS)  # the clean run's first one
        for key in self.alone():
            self.write(key, **wanted[key])

    def begin_request(self, after: int) -> None:
        """What is done from here on is the work of the request after so many."""
        history = self.sandbox.world.history
        history.requests = after
        history.arrived("editAsset")

    def write(self, key: str, **texts: str) -> None:
        """Texts of an asset, as an edit through the API."""
        entries = [{"fieldKey": self.keys[name], "value": text} for name, text in texts.items()]
        fields = {"assetCustom": {"fields": entries}}
        self.writer.edit_asset(None, key, fields)  # type: ignore[arg-type]

    def alone(self) -> list[str]:
        """Keys of assets that exactly one configuration claims."""
        return sorted(self.scene.alone())

    def unwritten(self) -> list[str]:
        """Keys of assets that no configuration claims alone."""
        return sorted(self.store.assets.keys() - set(self.alone()))

    def person(self, collection: str, record_id: int | str, **changes: Any) -> None:
        """An edit between the runs, told to the oracle as well."""
        edit(self.sandbox.world, collection, record_id, changes)
        told = {"do": "edit", "collection": collection, "id": record_id, "set": changes}
        self.fault_plan = FaultPlan(people=(*self.fault_plan.people, told))

    def finish(self) -> None:
        """The records of three runs, of which the clean one wrote everything."""
        self.runs = [self.run("disturbed"), self.run("clean"), self.run("quiet")]
        for number, run in enumerate(self.runs):
            run.requests |= {"before": number * REQUESTS, "total": REQUESTS}
        self.runs[0].fault_plan = self.fault_plan

    def run(self, kind: Any) -> RunRecord:
        outcomes = self.scene.outcomes()
        there = outcomes.pop("alone")
        alone = there if kind == "clean" else 0
        keys = self.alone()[:alone]
        counts = {**outcomes, "updated": alone, "unchanged": there - alone, "failed": 0}
        report = {
            "counts": counts,
            "dry_run": False,
            "written": [{"asset_key": key} for key in keys],
            "failures": [],
            "fields_created": list(FIELDS) if alone else [],
            "connectwise_used": 9,
            "lansweeper_used": 4,
            "mutations": 2 if alone else 0,
        }
        writes = 2 if alone else 0
        by = {"editAsset": 1, "createCustomField": 1} if writes else {"assetResources": 4}
        requests = {
            "connectwise": {"requests": 9, "writes": 0, "by": {"GET /company/configurations": 9}},
            "lansweeper": {"requests": 4, "writes": writes, "by": by},
        }
        return RunRecord(kind, COMPLETED, counts, report, requests)

    def judge(self) -> Verdict:
        return self.oracle.judge(self.runs)


def judged(spoil: Spoil | None = None, before: Spoil | None = None, **settings: Any) -> Verdict:
    """The verdict over a right schedule with ``before`` done first and ``spoil`` last."""
    enriched = EnrichedSandbox(**settings)
    if before:
        before(enriched)
    enriched.enrich()
    enriched.finish()
    if spoil:
        spoil(enriched)
    return enriched.judge()
