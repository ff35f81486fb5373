"""Edits travel together, and every outcome is joined to its asset: against the sandbox and a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.models import AssetEdit, EditOutcome
from connectors.lansweeper.settings import LansweeperSettings
from connectors.ledger.models import JournalledWrite
from connectors.ledger.store import Ledger
from deployments.local.sandbox import Sandbox
from tasks.connectwise.list_companies import Company
from tasks.enrichment.plan import edit_of, mixed
from tasks.enrichment.run import EnrichmentRun
from tasks.enrichment.settings import EnrichmentSettings, EnrichmentWaiting
from tasks.lansweeper import edit_asset
from tasks.lansweeper.edit_asset import BatchSize, edit_assets
from tasks.rules.bulk import SplitAllowance
from tasks.rules.enrichment.plan import AssetUpdate, ConfigurationName
from tasks.rules.enrichment.texts import AssetState
from tasks.rules.values import FieldChange
from tasks.shared.action import Inventory
from tasks.shared.journalled import WriteResult
from tests.support.faults import fail

pytestmark = pytest.mark.anyio
EDITS = "/api/v2/graphql editAssets"
IMPATIENT = EnrichmentWaiting(pause_seconds=0.05, patience_seconds=0)


class Bench:
    """A run with the texts of its assets; ``update`` plans an edit of each of the first assets."""

    def __init__(self, sandbox: Sandbox, run: EnrichmentRun) -> None:
        self.sandbox = sandbox
        self.run = run
        self.keys = [each["key"] for each in sandbox.state("lansweeper/assets")]

    def updates(self, count: int, text: str = "7") -> list[AssetUpdate]:
        return [update(key, text) for key in self.keys[:count]]

    async def edit(self, updates: list[AssetUpdate]) -> dict[str, WriteResult]:
        run = self.run
        edits = Inventory([edit_of(each, run.field_keys) for each in updates])
        policy, most = run.settings.waiting, run.settings.aliases
        made = await edit_assets.fn(run.assets, run.site_id, edits, run.journal, most=most, policy=policy)
        return made.value

    async def size(self) -> BatchSize:
        run = self.run
        return await BatchSize.remembered(run.assets, run.site_id, run.ledger, run.settings.aliases)

    def texts(self) -> dict[str, str]:
        """The asset's text of the custom field, where it has one, as the server keeps it."""
        return {
            each["key"]: entry["value"]
            for each in self.sandbox.state("lansweeper/assets")
            for entry in each["assetCustom"].get("fields") or []
            if entry["fieldKey"] == self.run.field_keys["cw_sla"]
        }

    def mutations(self) -> int:
        return int(self.sandbox.requests()["lansweeper"]["writes"])

    async def journal(self) -> list[JournalledWrite]:
        return await self.run.ledger.journal.of_run(self.run.run_id)


def update(key: str, text: str) -> AssetUpdate:
    asset = AssetState(key, key, "", {})
    return AssetUpdate(asset, ConfigurationName(1, "PC"), (FieldChange("cw_sla", None, text),))


@asynccontextmanager
async def opened(sandbox: Sandbox, ledger: Path, **settings: Any) -> AsyncIterator[Bench]:
    account = sandbox.info["lansweeper"]
    async with (
        LansweeperClient(LansweeperSettings(account["access_token"], endpoint=account["endpoint"])) as client,
        Ledger.open(ledger) as database,
    ):
        site = await client.site()
        field = await client.create_custom_field(site["id"], "cw_sla", "TEXTAREA")
        run = EnrichmentRun(
            EnrichmentSettings(**({"waiting": IMPATIENT} | settings)),
            run_id="r1",
            connectwise="default",
            lansweeper="default",
            company=Company(2, "BlueLightCo", "Blue Light"),
            site_id=site["id"],
            client=None,  # type: ignore[arg-type]
            assets=client,
            ledger=database,
        )
        run.field_keys = {"cw_sla": field["key"]}
        sandbox.clear_requests()
        yield Bench(sandbox, run)


@pytest.fixture
async def bench(sandbox: Sandbox, ledger_file: Path) -> AsyncIterator[Bench]:
    async with opened(sandbox, ledger_file) as made:
        yield made


async def test_sixty_edits_are_three_mutations_and_all_are_journalled(bench: Bench) -> None:
    results = await bench.edit(bench.updates(60))
    assert all(each.ok for each in results.values())
    assert bench.texts() == dict.fromkeys(bench.keys[:60], "7")
    assert bench.mutations() == 3
    journal = await bench.journal()
    assert [each.outcome for each in journal] == ["done"] * 60
    first = journal[0]
    assert (first.record_kind, first.asset_key, first.before) == ("asset", bench.keys[0], {"cw_sla": ""})
    assert (first.record_id, first.after) == (None, {"cw_sla": "7"})


@pytest.mark.parametrize("paths", [True, False])
async def test_a_refused_edit_leaves_the_others_and_has_its_own_message(bench: Bench, paths: bool) -> None:
    bench.sandbox.switch(graphql_error_paths=paths)
    refused = bench.keys[3]
    fault = {"kind": "partial", "keys": [refused, bench.keys[5]], "message": "Locked by a person"}
    bench.sandbox.faults([{"system": "lansweeper", "path": "editAsset", "fault": fault}])
    updates = [*bench.updates(10), update("gone", "7")]
    results = await bench.edit(updates)
    assert {key for key, each in results.items() if not each.ok} == {refused, bench.keys[5], "gone"}
    assert "Locked by a person" in results[refused].message
    assert "Locked by a person" not in results["gone"].message
    assert bench.texts().keys() == set(bench.keys[:10]) - {refused, bench.keys[5]}
    # Without paths nobody knows whose message is whose, so those three go once more, one by one.
    assert bench.mutations() == (1 if paths else 4)
    outcomes = {each.asset_key: each.outcome for each in await bench.journal()}
    assert [key for key, outcome in outcomes.items() if outcome == "failed"] == [
        refused,
        bench.keys[5],
        "gone",
    ]


async def test_a_limit_of_aliases_is_found_and_remembered(bench: Bench) -> None:
    bench.sandbox.switch(alias_limit=8)
    results = await bench.edit(bench.updates(24))
    assert all(each.ok for each in results.values())
    assert bench.texts().keys() == set(bench.keys[:24])
    # 25 and 12 are refused, then six at a time.
    assert bench.mutations() == 2 + 4
    bench.sandbox.clear_requests()
    await bench.edit(bench.updates(24, "8"))
    assert bench.mutations() == 4
    outcomes = [each.outcome for each in await bench.journal()]
    assert sorted(set(outcomes)) == ["done", "not_sent"]


async def test_edits_that_are_counted_singly_are_charged_singly(sandbox: Sandbox, ledger_file: Path) -> None:
    sandbox.switch(alias_counting="each")
    async with opened(sandbox, ledger_file, aliases=10) as bench:
        await bench.edit(bench.updates(30))
        size = await bench.size()
        assert size.cost(10) == 10
        bench.sandbox.switch(alias_counting="request")
        await bench.edit(bench.updates(20, "8"))
        assert (await bench.size()).cost(10) == 1


async def test_a_server_that_is_away_ends_the_edits_and_what_was_not_sent_is_said(
    sandbox: Sandbox, ledger_file: Path
) -> None:
    async with opened(sandbox, ledger_file, aliases=10) as bench:
        fail(bench.run.assets, "edit_assets", RetryableError("Bad gateway"), range(2, 99))
        results = await bench.edit(bench.updates(60))
        messages = [each.message for each in results.values()]
        assert [each.ok for each in results.values()] == [True] * 10 + [False] * 50
        assert messages[10:40] == ["Bad gateway"] * 30
        assert messages[40:] == ["Not sent: Bad gateway"] * 20
        assert [each.outcome for each in await bench.journal()] == ["done"] * 10 + ["unclear"] * 30


async def test_a_used_up_limit_is_waited_out_as_long_as_patience_allows(bench: Bench) -> None:
    fail(bench.run.assets, "edit_assets", RetryableError("Used up", retry_after=0.1), [1])
    settings = EnrichmentSettings(waiting=EnrichmentWaiting(pause_seconds=0.05, patience_seconds=5))
    bench.run.settings = settings
    results = await bench.edit(bench.updates(3))
    assert all(each.ok for each in results.values())


async def test_a_dropped_connection_is_repeated_since_edits_set_absolute_texts(bench: Bench) -> None:
    bench.sandbox.faults(
        [{"system": "lansweeper", "path": "editAsset", "nth": [1, 2], "fault": {"kind": "drop_after"}}]
    )
    results = await bench.edit(bench.updates(30))
    assert all(each.ok for each in results.values())
    assert bench.texts() == dict.fromkeys(bench.keys[:30], "7")


async def test_a_token_without_the_right_stops_at_once(bench: Bench) -> None:
    fault = {"kind": "partial", "share": 1, "message": "You are not authorized to perform this action",
             "status": 403}  # fmt: skip
    bench.sandbox.faults([{"system": "lansweeper", "path": "editAsset", "fault": fault}])
    results = await bench.edit(bench.updates(60))
    assert not any(each.ok for each in results.values())
    assert bench.mutations() == 1
    assert sum(each.message.startswith("Not sent") for each in results.values()) == 35


async def test_what_refuses_every_edit_is_not_tried_on_thousands(bench: Bench) -> None:
    fault = {"kind": "partial", "share": 1, "message": "Not possible for this kind of asset"}
    bench.sandbox.reset(assets=200)
    bench.keys = [each["key"] for each in bench.sandbox.state("lansweeper/assets")]
    bench.sandbox.faults([{"system": "lansweeper", "path": "editAsset", "fault": fault}])
    results = await bench.edit(bench.updates(200))
    assert not any(each.ok for each in results.values())
    assert bench.mutations() == 3
    assert sum(each.message.startswith("Not sent") for each in results.values()) == 125


async def test_refused_assets_that_come_first_do_not_keep_the_others_from_their_turn(
    sandbox: Sandbox, ledger_file: Path
) -> None:
    sandbox.reset(assets=200)
    async with opened(sandbox, ledger_file) as bench:
        refused = bench.keys[:80]
        fault = {"kind": "partial", "keys": refused, "message": "Not possible for this kind of asset"}
        sandbox.faults([{"system": "lansweeper", "path": "editAsset", "fault": fault}])
        results = await bench.edit(mixed(bench.updates(200), bench.run.run_id))
        assert {key for key, each in results.items() if not each.ok} == set(refused)
        assert bench.texts().keys() == set(bench.keys[80:])


class Spoiling:
    """Refuses every mutation that holds one of the chosen assets, as one malformed edit has it refused."""

    def __init__(self, bench: Bench, chosen: set[str], error: ConnectorError) -> None:
        self.real = bench.run.assets.edit_assets
        self.chosen = chosen
        self.error = error
        self.sizes: list[int] = []
        bench.run.assets.edit_assets = self.send  # type: ignore[method-assign,assignment]

    async def send(self, site_id: str, edits: list[AssetEdit], **options: Any) -> list[EditOutcome]:
        self.sizes.append(len(edits))
        if self.chosen & {each.key for each in edits}:
            raise self.error
        return await self.real(site_id, edits, **options)


MALFORMED = RejectedError("Variable f3 is malformed", status=400)


async def test_edits_that_have_a_whole_mutation_refused_are_found_and_the_rest_is_written(
    bench: Bench,
) -> None:
    chosen = {bench.keys[3], bench.keys[20], bench.keys[41]}
    spoiling = Spoiling(bench, chosen, MALFORMED)
    results = await bench.edit(bench.updates(60))
    assert {key for key, each in results.items() if not each.ok} == chosen
    assert {key for key, each in results.items() if each.refused} == chosen
    assert bench.texts().keys() == set(bench.keys[:60]) - chosen
    assert len(spoiling.sizes) <= 3 + 3 * 12
    failed = {each.asset_key for each in await bench.journal() if each.outcome == "failed"}
    assert failed == chosen


async def test_where_every_edit_is_refused_it_costs_little_more_than_a_request_each(bench: Bench) -> None:
    spoiling = Spoiling(bench, set(bench.keys), MALFORMED)
    results = await bench.edit(bench.updates(50))
    assert not any(each.ok for each in results.values())
    assert 50 <= len(spoiling.sizes) <= 70


async def test_a_missing_right_in_the_midst_of_splitting_stops_all_edits(bench: Bench) -> None:
    spoiling = Spoiling(bench, {bench.keys[3]}, MALFORMED)
    # The batch, its half with the asset, and the half of that without it.
    fail(spoiling, "real", StopError("You may not edit assets", status=403), [1])
    results = await bench.edit(bench.updates(60))
    assert len(spoiling.sizes) < 15
    assert not any(each.refused for each in results.values())
    assert sum(each.message.startswith("Not sent") for each in results.values()) >= 35


async def test_no_more_is_split_in_one_run_than_is_allowed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit_asset, "SplitAllowance", lambda: SplitAllowance(12))
    spoiling = Spoiling(bench, {bench.keys[3], bench.keys[41]}, MALFORMED)
    results = await bench.edit(bench.updates(60))
    assert len(spoiling.sizes) <= 3 + 12
    untried = [each for each in results.values() if "not tried alone" in each.message]
    assert untried
    # What was not tried alone may be as good as any: it is not held.
    assert not any(each.refused for each in untried)
