"""A synchronization of a few requests, right by the model: a right state to plant faults into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import httpx

from benchmarks.chaos.asset_model import REFERENCES, Model, folded
from benchmarks.chaos.asset_oracle import Scene
from benchmarks.chaos.verdict import COMPLETED, RunRecord
from deployments.local.sandbox import Sandbox
from tests.support.sandbox.calls import API, BULK, CONFIGURATIONS

Record = dict[str, Any]


class LittleSync:
    """Reads with the sandbox's control addresses, and writes as the integration would."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client, settings: dict[str, Any]) -> None:
        """``http`` has the sandbox's ConnectWise keys."""
        self.sandbox = sandbox
        self.model = Model(settings)
        self.http = http
        self._ids: dict[str, dict[str, int]] = {}
        self.links = {"ls_asset_id": 5, "ls_asset_url": 6, "ls_software": 7, "ls_asset_location": 8}

    def run(
        self,
        kind: Literal["disturbed", "clean", "quiet"],
        *,
        leave: Iterable[str] = (),
        anew: Iterable[str] = (),
        between: Any = None,
    ) -> RunRecord:
        """One run; assets to ``leave`` out, and to create ``anew`` though they have a configuration.

        ``between`` is done after the re-read and before the PUT.
        """
        self.sandbox.clear_requests()
        scene = Scene(self.sandbox, self.model)
        self._learn(scene.tables)
        counts = dict.fromkeys(("created", "modified", "unchanged", "ambiguous", "skipped", "failed"), 0)
        new, matched = [], {}
        for key, place in scene.places().items():
            asset = scene.assets[key]
            if key in leave:
                counts["skipped"] += 1
            elif place.kind == "linked":
                counts["unchanged"] += 1
            elif place.kind in ("ambiguous", "contested"):
                counts["ambiguous"] += 1
            elif place.kind == "unmatched" or key in anew:
                new.append(asset)
            else:
                matched[place.ids[0]] = asset
        written = self._create(new) + self._modify(matched, between)
        counts |= {"created": len(new), "modified": len(matched), "read": len(scene.assets)}
        requests = self.sandbox.requests()
        used = requests["connectwise"]["requests"]
        report = {"requests_used": used, "written": written, "failures": []}
        return RunRecord(kind, COMPLETED, counts, report, requests)

    def _create(self, assets: list[Record]) -> list[Record]:
        if not assets:
            return []
        bodies = [self._laid_over({"company": {"id": self.sandbox.company_id}}, each) for each in assets]
        answer = self.http.post(BULK, json=bodies).json()["payload"]
        return [_told(each, "created", one["data"]["id"]) for each, one in zip(assets, answer, strict=True)]

    def _modify(self, matched: dict[int, Record], between: Any) -> list[Record]:
        if not matched:
            return []
        records = self.read(*matched)
        if between:
            between(records)
        if self.model.patch_only:
            self._patch(matched, records)
        else:
            self.put([self._laid_over(each, matched[each["id"]], new=False) for each in records])
        return [_told(asset, "modified", number) for number, asset in matched.items()]

    def read(self, *ids: int) -> list[Record]:
        """Whole records, as a batch is read again."""
        condition = f"id in ({','.join(map(str, ids))})"
        found = self.http.get(CONFIGURATIONS, params={"conditions": condition, "pageSize": 1000}).json()
        return [{name: value for name, value in each.items() if name != "_info"} for each in found]

    def put(self, records: list[Record]) -> None:
        """All of them with one request."""
        results = self.http.put(BULK, json=records).json()["payload"]
        assert all(each["success"] for each in results), results

    def patch(self, number: int, **values: Any) -> None:
        """Members of one record."""
        operations = [
            {"op": "replace", "path": name, "value": value} if value is not None else _removal(name)
            for name, value in values.items()
        ]
        answer = self.http.patch(f"{CONFIGURATIONS}/{number}", json=operations)
        assert answer.status_code == 200, answer.text

    def _patch(self, matched: dict[int, Record], records: list[Record]) -> None:
        for each in records:
            wanted = self._laid_over({}, matched[each["id"]], new=False)
            self.patch(each["id"], **wanted)

    def _laid_over(self, record: Record, asset: Record, *, new: bool = True) -> Record:
        laid = dict(record)
        custom = {each["id"]: each for each in laid.pop("customFields", [])}
        for field, wanted in self.model.written(asset):
            if field.kind == "custom":
                number = self.links[field.target.removeprefix("customFields.")]
                custom[number] = {"id": number, "value": wanted}
            elif field.kind == "reference":
                if new or field.authority in ("lansweeper", "merge"):
                    laid[field.member] = {"id": self._reference(field.target, wanted)}
                    laid.pop("locationId" if field.member == "location" else "", None)
            else:
                laid[field.member] = wanted
        return laid | {"customFields": list(custom.values())}

    def _learn(self, tables: dict[str, list[Record]]) -> None:
        for collection, member in REFERENCES.values():
            active = [each for each in tables[collection] if not each.get("inactiveFlag")]
            self._ids[collection] = {folded(each[member]): int(each["id"]) for each in reversed(active)}

    def _reference(self, target: str, name: str) -> int:
        collection, member = REFERENCES[target]
        known = self._ids[collection]
        if folded(name) not in known:
            answer = self.http.post(f"{API}/{collection}", json={member: name})
            assert answer.status_code == 201, answer.text
            known[folded(name)] = int(answer.json()["id"])
        return known[folded(name)]


def _told(asset: Record, action: str, number: int) -> Record:
    return {"asset_key": asset["key"], "action": action, "configuration_id": number}


def _removal(name: str) -> Record:
    return {"op": "remove", "path": name}
