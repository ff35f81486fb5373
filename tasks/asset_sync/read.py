"""Read both sides and the reference data, match them, and make the plan.

Of each record only what is mapped is kept. The decisions are in ``tasks.rules.asset_sync``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from connectors.connectwise.conditions import equals
from connectors.errors import StopError
from connectors.lansweeper.models import Filters
from tasks.asset_sync.merge import note_edits
from tasks.asset_sync.run import Record, SyncRun, check_missing_captions, check_typed_ids
from tasks.connectwise.list_configurations import read_configurations
from tasks.connectwise.match_configurations import match_records
from tasks.lansweeper.list_assets import AssetInventory, read_assets
from tasks.rules.asset_sync.compare import SharedValues
from tasks.rules.asset_sync.custom_values import CustomValues
from tasks.rules.asset_sync.matching.decisions import Decided
from tasks.rules.asset_sync.matching.result import MatchOptions, MatchResult
from tasks.rules.asset_sync.plan import Plan, PlanOptions, build_plan, compare_matched
from tasks.rules.asset_sync.reading import ASSETS, CONFIGURATIONS, assets_incomplete, incomplete
from tasks.rules.asset_sync.references import ReferencePlan
from tasks.rules.guards import GuardFinding
from tasks.rules.text import counted
from tasks.rules.values import AssetRecord, ConfigurationRecord
from tasks.shared.action import Inventory
from tasks.shared.concurrency import gather_all
from tasks.shared.connections import lansweeper_client
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry

FromConnectWise = tuple[Inventory[ConfigurationRecord], dict[str, list[Record]]]


@dataclass(frozen=True)
class Read:
    """What a run has read; ``references`` are the existing records of each mapped kind, by target path."""

    assets: AssetInventory[AssetRecord]
    configurations: Inventory[ConfigurationRecord]
    references: dict[str, list[Record]]

    @property
    def any_linked(self) -> bool:
        return any(each.asset_key for each in self.configurations)


async def read_all(run: SyncRun) -> Read:
    """Read both vendors at the same time: neither waits for the other's pages.

    Raises:
        StopError: the site has no asset, or one side can't be read; Lansweeper's error if both fail.
    """
    shared = SharedValues(run.mapping)
    site, connectwise = await gather_all(read_site(run, shared), read_connectwise(run, shared))
    return Read(cast(AssetInventory[AssetRecord], site), *cast(FromConnectWise, connectwise))


async def read_connectwise(run: SyncRun, shared: SharedValues) -> FromConnectWise:
    """The company's configurations, then the reference data: together they take less time than the site."""
    return await read_company(run, shared), await read_references(run)


async def read_references(run: SyncRun) -> dict[str, list[Record]]:
    """Every existing record of each kind that is mapped and may be created, by target path."""
    mapped = [path for path in run.reference_actions if run.mapping.position(path) is not None]
    read = await gather_all(*(run.reference_actions[path].existing() for path in mapped))
    return dict(zip(mapped, read, strict=True))


async def read_site(run: SyncRun, shared: SharedValues) -> AssetInventory[AssetRecord]:
    """Read every asset that the run's filter lets through; once more where many are missing.

    Raises:
        StopError: the site has no asset, or none that meets the filter.
    """
    filters = cast(Filters | None, run.settings.lansweeper_filter())
    async with lansweeper_client(run.lansweeper) as client:
        run.site_session = client.session
        run.site = await retry(client.site_id, run.settings.waiting)

        async def read() -> AssetInventory[AssetRecord]:
            found: AssetInventory[AssetRecord] = await read_assets(
                client, run.site, run.mapping.lansweeper_paths, filters, shared.asset, run.settings.waiting
            )
            found.records += run.unread.assets_of(found.unread)
            found.unread.clear()
            return found

        try:
            assets = await read()
        except StopError:
            # Where it is the site that the token may not see, this says which it may.
            await client.site()
            raise
        if assets_incomplete(len(assets), assets.total):
            run_logger().warning("Lansweeper gave %d of %s assets; reading again", len(assets), assets.total)
            assets = await read()
    if assets_incomplete(len(assets), assets.total):
        found = incomplete(ASSETS, "Assets in Lansweeper", len(assets), assets.total, run.accept_once)
        run.findings += [found] if found else []
    elif assets.missing:
        run.notes.append(
            f"Lansweeper named {assets.total} assets but gave {len(assets)}; "
            "none of the missing counts as gone."
        )
    if not assets:
        raise StopError(_nothing_read(run.site, filtered=filters is not None))
    # An asset of which not even the key is known could be any that seems to be gone.
    run.whole_site = filters is None and not assets.missing and "" not in run.unread.assets
    return assets


async def read_company(run: SyncRun, shared: SharedValues) -> Inventory[ConfigurationRecord]:
    """Read every configuration of the run's company, inactive ones included.

    Held against ConnectWise's own count, read once more where they differ, and then a finding.
    """
    conditions = equals("company/id", run.company.id)
    own = {"id": run.company.id}
    strangers: set[int] = set()

    async def read() -> tuple[Inventory[ConfigurationRecord], int, int]:
        run.values = values = CustomValues()

        strangers.clear()

        def keep(record: Record) -> ConfigurationRecord:
            if (record.get("company") or own).get("id") != own["id"]:
                strangers.add(int(record["id"]))
            values.note(record)
            return shared.configuration(record)

        fields = f"{run.mapping.configuration_fields},company/id"
        records: Inventory[ConfigurationRecord] = await read_configurations(
            run.client, conditions, fields, keep
        )
        records.records += run.unread.configurations_of(records.unread)
        records.unread.clear()
        count = await retry(lambda: run.client.configurations.count(conditions), run.settings.waiting)
        return records, len({each.id for each in records}), count

    records, different, count = await read()
    if different != count or different != len(records):
        run_logger().warning("%d configurations read, ConnectWise counts %d; reading again", different, count)
        records, different, count = await read()
    found = incomplete(CONFIGURATIONS, "Configurations of the company", different, count, run.accept_once)
    run.findings += [found] if found else []
    _leave_out(run, records, strangers)
    await check_typed_ids(run)
    await check_missing_captions(run)
    run.highest_id = max((record.id for record in records), default=0)
    return records


def _leave_out(run: SyncRun, records: Inventory[ConfigurationRecord], strangers: set[int]) -> None:
    """Each configuration once, and none of another company: those would be matched, linked and kept."""
    by_id = {each.id: each for each in records}
    if unlike := sorted({each.id for each in records if each != by_id[each.id]}):
        text = (
            f"{counted(len(unlike), 'configuration')} came twice and not alike, in two readings, such as "
            f"{', '.join(map(str, unlike[:3]))}: which is right is not known. Run it again."
        )
        run.findings.append(GuardFinding(text))
    if len(by_id) != len(records) or strangers:
        records.records = [each for each in by_id.values() if each.id not in strangers]
    if strangers:
        text = (
            f"Asked for the configurations of {run.company.identifier}, ConnectWise also gave "
            f"{counted(len(strangers), 'configuration')} of other companies, such as "
            f"{', '.join(map(str, sorted(strangers)[:3]))}: its answer is not believed. Run it again."
        )
        run.findings.append(GuardFinding(text))


def _nothing_read(site: str, *, filtered: bool) -> str:
    if filtered:
        return f"No asset of Lansweeper site {site} meets the asset filter. Check its paths and values."
    return (
        f"Lansweeper site {site} has no assets that this token may see, so nothing was compared. "
        "Check the site id of the Lansweeper Connection and that the site has been scanned."
    )


async def match_inventories(run: SyncRun, read: Read, decided: Decided) -> MatchResult:
    """Match what was read; only from the whole site can be told that an asset is gone."""
    settings = run.settings
    options = MatchOptions(
        settings.case_sensitive_match,
        run.whole_site,
        settings.all_fillers(),
        settings.key_orders(run.mapping),
        decided,
    )
    return (await match_records(read.assets, read.configurations, options)).value


def make_plan(
    run: SyncRun,
    matched: MatchResult,
    references: Mapping[str, ReferencePlan],
    held: Mapping[str, str],
    unread: Mapping[str, str],
) -> Plan:
    """The plan of the run, with the requests that it will cost.

    ``held``: asset key -> why it is left; ``unread``: the same for those that can't be compared either.
    """
    options = PlanOptions(
        batch_size=run.settings.batch_size,
        mode=run.settings.write_mode,
        reactivate=run.settings.reactivate,
        reads_done=run.client.session.requests,
        held={**held, **unread},
    )
    compared = compare_matched(matched.matched, run.mapping, unread, run.bases)
    plan = build_plan(matched, compared, run.mapping, references, options)
    note_edits(run, plan.edits)
    run_logger().info(
        "Plan: %s; %d requests predicted, %d of them writes",
        ", ".join(f"{name} {count}" for name, count in plan.counts.as_dict().items()),
        plan.predicted.total,
        plan.predicted.writes,
    )
    return plan
