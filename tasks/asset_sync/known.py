"""What is known of a company from before: read from the ledger, held against the reading, kept after the run.

A healthy run asks ConnectWise one request more for the count of its company, and where assets are to be
linked one: how many keys there are in all companies; another where configurations without any value in a
custom field are to be linked, of which none may be written whole before that is known to be right. Only what
does not fit costs more: the keys of the company are counted by themselves, configurations that were not read
are read by their ids, and keys of other companies that the ledger does not know are read once. Custom field
ids that a person typed are held against the captions that configurations show, without a request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from connectors.connectwise.conditions import equals, quote, split_in
from connectors.errors import RejectedError
from connectors.ledger.inventory import is_key
from connectors.ledger.models import KnownAmount, KnownLink
from tasks.asset_sync.apply import Applied
from tasks.asset_sync.read import Read
from tasks.asset_sync.references import reference_amounts
from tasks.asset_sync.run import Record, SyncRun, find_defined
from tasks.rules.asset_sync.assets_read import AssetsRead, asset_findings, identified_name, tenant_finding
from tasks.rules.asset_sync.custom_values import ANY_VALUE, hidden_values, value_findings
from tasks.rules.asset_sync.matching.result import MatchResult
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.reading import (
    ASSETS,
    CONFIGURATIONS,
    LINKED,
    MET,
    WHOLE,
    FoundConfiguration,
    amount_findings,
    judge_links,
    links_to_keep,
    links_to_look_up,
    to_be_linked,
    unreadable_keys,
)
from tasks.rules.asset_sync.reference_lists import TENANT_WIDE
from tasks.rules.asset_sync.safety import WriteMode
from tasks.rules.guards import GuardFinding, marks_of_use, used_up
from tasks.rules.mapping.model import LINK_CAPTION
from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX
from tasks.rules.values import written_text
from tasks.shared.next_run import keep_or_note
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry

MOST_LOOKED_UP = 2000
"""Configurations that are read by id at most: some twelve requests. The assets of all others are held."""
_LINK_PATH = CUSTOM_FIELD_PREFIX + LINK_CAPTION


@dataclass
class Known:
    """``amounts`` and ``links`` of the company; ``elsewhere``: configurations of keys in other companies.

    ``lists``: how long the tenant's lists of reference records were. ``met``: how many assets of this reading
    are linked to a configuration that carries their key.
    """

    amounts: dict[tuple[str, str], KnownAmount]
    links: dict[str, int]
    lists: dict[tuple[str, str], KnownAmount] = field(default_factory=dict)
    met: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class KeyCount:
    """Asset keys of the tenant: ``read`` in the company, ``kept`` in the ledger of the others, ``total``.

    ``total`` is ConnectWise's count of them all; None where it does not count so.
    """

    read: int
    kept: int
    total: int | None

    @property
    def doubtful(self) -> bool:
        """Whether some may have been read empty or be unknown: else every one is accounted for."""
        return self.total is not None and self.total != self.read + self.kept


async def read_known(run: SyncRun) -> Known:
    """What the ledger knows of the company; its journal serves where no link was kept yet.

    Numbers of Accept once that an earlier run has used are taken out of the run's.
    """
    inventory, company = run.ledger.inventory, run.company.id
    links = await inventory.links(run.tenant, company)
    if not links:
        links = await inventory.written_links(run.tenant, company, run.connectwise)
    amounts = await inventory.amounts(run.tenant, company)
    used, found = used_up(run.settings.accept_once.model_dump(), _company_numbers(amounts))
    run.accept_once = run.settings.accept_once.model_copy(update=dict.fromkeys(used))
    run.findings += found
    return Known(amounts, links, await inventory.amounts(run.tenant, TENANT_WIDE))


def _company_numbers(amounts: Mapping[tuple[str, str], KnownAmount]) -> dict[str, int]:
    return {name: each.number for (name, scope), each in amounts.items() if scope == WHOLE}


async def check_reading(run: SyncRun, known: Known, read: Read, matched: MatchResult) -> dict[str, str]:
    """Add to the run's findings what does not fit; returns why assets are left alone, by their key."""
    run.findings += amount_findings(
        known.amounts,
        known.links,
        read.configurations.records,
        (read.assets.total or len(read.assets), assets_scope(run)),
        run.accept_once,
        run.settings.shrink,
    )
    known.met = sum(each.matched_on == "link" for each in matched.matched)
    run.findings += asset_findings(
        _assets_read(run, known, read), known.amounts, run.accept_once, run.settings.shrink
    )
    if not known.links and not read.any_linked:
        linked = await run.ledger.inventory.other_tenants(run.tenant, [each.key for each in read.assets])
        found = tenant_finding(len(read.assets), linked, run.accept_once, run.settings.shrink)
        run.findings += [found] if found else []
    unknown = [each.key for each in to_be_linked(matched) if each.key not in known.links]
    keys = await _count_keys(run, read) if unknown else KeyCount(0, 0, 0)
    own = await _check_values(run, known, read, matched, keys_matter=keys.doubtful)
    if unknown:
        known.elsewhere = await _keys_elsewhere(run, known, unknown, keys, own)
    links = known.elsewhere | known.links
    wanted = links_to_look_up(matched, links, read.configurations)
    ids = sorted(set(wanted.values()))
    looked_up = await _look_up(run, ids[:MOST_LOOKED_UP]) if ids else {}
    verdict = judge_links(
        matched,
        links,
        read.configurations,
        looked_up,
        ids[MOST_LOOKED_UP:],
        run.company.id,
        run.accept_once,
    )
    run.findings += verdict.findings
    return verdict.held


def _assets_read(run: SyncRun, known: Known, read: Read) -> AssetsRead:
    linked = sum(bool(each.asset_key) for each in read.configurations)
    before = known.amounts.get((LINKED, WHOLE))
    return AssetsRead(
        assets_scope(run),
        read.assets.total or len(read.assets),
        run.settings.lansweeper_filter() is None,
        known.met,
        len(known.links) or linked,
        _identified(read),
        _identified_by(run),
        min(1.0, linked / before.number) if before and before.number else 1.0,
    )


def _identified_by(run: SyncRun) -> tuple[str, ...]:
    return tuple(path for path in ("serialNumber", "macAddress") if run.mapping.position(path) is not None)


def _identified(read: Read) -> int:
    return sum(bool(each.serial or each.mac) for each in read.assets)


def assets_scope(run: SyncRun) -> str:
    """Readings of assets compare within one site and one filter."""
    filters = json.dumps(run.settings.lansweeper_filter(), sort_keys=True)
    return f"{run.site}:{hashlib.sha256(filters.encode()).hexdigest()[:16]}"


async def _look_up(run: SyncRun, ids: Sequence[int]) -> dict[int, FoundConfiguration]:
    """The configurations of these ids, whichever company has them."""
    fields = "id,activeFlag,company/id,company/name,customFields"
    found: dict[int, FoundConfiguration] = {}
    for conditions in split_in("id", ids):
        read = partial(run.client.configurations.list, conditions, fields=fields)
        records = await retry(read, run.settings.waiting)
        found |= {int(each["id"]): _found(run, each) for each in records}
    return found


def _found(run: SyncRun, record: Record) -> FoundConfiguration:
    read = run.unread.read_configuration(record)
    number, name = _company_of(record)
    return FoundConfiguration(read.id, read.asset_key, read.active, number, name)


def _company_of(record: Record) -> tuple[int, str]:
    """Id and name of a configuration's company; 0, which no company has, where it is no reference."""
    company = record.get("company")
    number = company.get("id") if isinstance(company, Mapping) else None
    name = written_text(company.get("name")) if isinstance(company, Mapping) else None
    return (number if isinstance(number, int) else 0), name or ""


async def _check_values(
    run: SyncRun, known: Known, read: Read, matched: MatchResult, *, keys_matter: bool
) -> int:
    """Hold the custom field values and the keys that were read against the ledger and ConnectWise's counts.

    Returns how many keys the company has. Costs no request where no configuration is to be written whole and
    the tenant's keys are accounted for, one where they are not and every other configuration is bare, else
    two.
    """
    values, accept = run.values, run.accept_once
    found = _value_findings(run, known)
    if found and run.defined is None:
        # A field that is gone has no values to lose; that costs a request only where one seems to.
        await find_defined(run)
        found = _value_findings(run, known)
    keyless = {each.id for each in read.configurations if not each.asset_key}
    run.hiding |= keyless.intersection(known.links.values())
    bare = {each.configuration.id for each in matched.matched if values.is_bare(each.configuration.id)}
    whole = run.settings.write_mode is WriteMode.BULK and bool(bare - run.hiding)
    every_bare = all(map(values.is_bare, keyless))
    counted = None
    if whole or (keys_matter and keyless and every_bare):
        counted = await _count(run, ANY_VALUE)
        hidden = hidden_values(values, counted or 0, accept, run.settings.shrink)
        found += [hidden] if hidden else []
        if counted is None:
            run.hiding |= bare
        elif counted > values.with_values and not hidden:
            run.hiding |= {number for number in await _with_values(run) if values.is_bare(number)}
    run.findings += found
    run.only_single = any(not each.refuses for each in found)
    no_more = counted is not None and counted <= values.with_values
    keyed = _keyed(read)
    if keys_matter and keyless and not (every_bare and no_more):
        count = await _count(run, _carries_key(run))
        if count is not None:
            _doubt_keys(run, keyed, count, "the company")
            return count
    return keyed


def _value_findings(run: SyncRun, known: Known) -> list[GuardFinding]:
    return value_findings(
        run.values, known.amounts, _mapped(run), run.defined, run.accept_once, run.settings.shrink
    )


def _mapped(run: SyncRun) -> set[int | None]:
    """The ids of the mapped custom fields."""
    return {each.custom_field_id for each in run.mapping.fields if each.caption}


async def _count(run: SyncRun, condition: str) -> int | None:
    """How many configurations of the company meet it; None where ConnectWise does not count so."""
    company = equals("company/id", run.company.id)
    count = partial(run.client.configurations.count, company, custom_field_conditions=condition)
    try:
        return await retry(count, run.settings.waiting)
    except RejectedError as error:
        run_logger().warning("ConnectWise does not count by custom field: %s", error)
        return None


async def _with_values(run: SyncRun) -> list[int]:
    """The configurations of the company that have a value in any custom field, by ConnectWise's search."""
    company = equals("company/id", run.company.id)
    read = partial(run.client.configurations.list, company, custom_field_conditions=ANY_VALUE, fields="id")
    return [int(each["id"]) for each in await retry(read, run.settings.waiting)]


def _doubt_keys(run: SyncRun, read: int, count: int, where: str) -> None:
    found = unreadable_keys(read, count, where, run.accept_once, run.settings.shrink)
    run.findings += [found] if found else []


async def _count_keys(run: SyncRun, read: Read) -> KeyCount:
    """The keys of the company and of the others, read and known, with ConnectWise's count: one request.

    Where they are equal, those that were read empty would have to be as many as those that the ledger knows
    elsewhere and ConnectWise has no more; the ledger's links by key hold those.
    """
    kept = await run.ledger.inventory.count_elsewhere(run.tenant, run.company.id)
    count = partial(run.client.configurations.count, custom_field_conditions=_carries_key(run))
    try:
        return KeyCount(_keyed(read), kept, await retry(count, run.settings.waiting))
    except RejectedError as error:
        run_logger().warning("ConnectWise does not count by custom field: %s", error)
        return KeyCount(_keyed(read), kept, None)


def _keyed(read: Read) -> int:
    return len({each.id for each in read.configurations if each.asset_key})


async def _keys_elsewhere(
    run: SyncRun, known: Known, unknown: Collection[str], keys: KeyCount, own: int
) -> dict[str, int]:
    """Which of the unknown keys configurations of other companies hold: key -> configuration id.

    Where the ledger does not know every key of the other companies, being lost, older, or new, they are read
    and kept, so that this costs once. ``own``: how many keys the company has.
    """
    inventory, company = run.ledger.inventory, run.company.id
    others = f"company/id != {company}"
    if keys.total is None:
        if not known.links and not keys.kept:
            await _read_elsewhere(run, known, others, None)
    elif keys.total - own > keys.kept:
        await _read_elsewhere(run, known, others, _carries_key(run))
    elif not keys.kept:
        return {}
    links = await inventory.links_elsewhere(run.tenant, company, unknown)
    return {key: link.configuration_id for key, link in links.items()}


def _carries_key(run: SyncRun) -> str:
    """The custom field condition for configurations with an asset key."""
    return f"caption={quote(run.link_caption)} AND value != null"


async def _read_elsewhere(run: SyncRun, known: Known, others: str, carries_key: str | None) -> None:
    found: list[KnownLink] = []
    bare = 0
    pages = run.client.configurations.pages(
        others, custom_field_conditions=carries_key, fields="id,company/id,customFields"
    )
    async for page in pages:
        for record in page:
            key = run.unread.read_configuration(record).asset_key
            bare += not key
            if key and key not in known.links:
                found.append(KnownLink(key, _company_of(record)[0], int(record["id"])))
    if carries_key:
        _doubt_keys(run, len(found), len(found) + bare, "other companies")
    run_logger().info("%d asset keys of other companies read, to create none of them twice", len(found))
    await run.ledger.inventory.note_links(run.tenant, found)


async def keep_planned(run: SyncRun, known: Known, read: Read) -> None:
    """After a dry run: higher amounts only, so that it never lowers what the next reading is held against."""
    if any(each.refuses for each in run.findings):
        return
    carrying = {each.id for each in read.configurations if each.asset_key}
    found = _amounts(run, known, read, created=0, linked=carrying, met=known.met)
    await _keep(run, _higher(found, known.amounts), {}, [])
    await _keep_lists(run, _higher(reference_amounts(read, {}), known.lists))


def _higher(
    found: Mapping[tuple[str, str], int], known: Mapping[tuple[str, str], KnownAmount]
) -> dict[tuple[str, str], int]:
    return {
        name: number for name, number in found.items() if name not in known or number > known[name].number
    }


async def keep_known(
    run: SyncRun,
    known: Known,
    read: Read,
    plan: Plan,
    applied: Applied,
    references_created: Mapping[str, Sequence[str]],
) -> None:
    """After a real run: the amounts as they are now, and the links that are new, changed or void."""
    created = {
        key: result.record_id for key, result in applied.created.items() if result.ok and result.record_id
    }
    linked = {
        each.asset.key: each.configuration.id
        for each in plan.field_modifications
        if any(change.field == _LINK_PATH for change in each.changes)
        and (result := applied.modified.get(each.asset.key)) is not None
        and result.ok
    }
    # Those of creations were kept when their batch was settled.
    kept = known.links | created
    changed, void = links_to_keep(read.configurations, created | linked, kept, is_key)
    carrying = {each.id for each in read.configurations if each.asset_key} | set(linked.values())
    amounts = _amounts(
        run,
        known,
        read,
        created=len(created),
        linked=carrying | set(created.values()),
        met=known.met + len(created) + len(linked),
    )
    marks = marks_of_use(run.settings.accept_once.model_dump(), _company_numbers(known.amounts))
    amounts |= {(name, WHOLE): number for name, number in marks.items()}
    await _keep(run, amounts, changed, void)
    await _keep_lists(run, reference_amounts(read, references_created))


async def _keep_lists(run: SyncRun, amounts: Mapping[tuple[str, str], int]) -> None:
    if amounts:
        async with keep_or_note("The lengths of reference lists", run.notes):
            await run.ledger.inventory.remember(run.tenant, TENANT_WIDE, amounts=amounts)


def _amounts(
    run: SyncRun, known: Known, read: Read, *, created: int, linked: set[int], met: int
) -> dict[tuple[str, str], int]:
    values = run.values.amounts(_mapped(run), known.amounts)
    return {
        **{(name, WHOLE): number for name, number in values.items()},
        (CONFIGURATIONS, WHOLE): len({each.id for each in read.configurations}) + created,
        (LINKED, WHOLE): len(linked),
        (ASSETS, assets_scope(run)): read.assets.total or len(read.assets),
        (identified_name(_identified_by(run)), assets_scope(run)): _identified(read),
        (MET, assets_scope(run)): met,
    }


async def _keep(
    run: SyncRun, amounts: Mapping[tuple[str, str], int], links: Mapping[str, int], void: Collection[str]
) -> None:
    async with keep_or_note("What this run read", run.notes):
        await run.ledger.inventory.remember(
            run.tenant, run.company.id, amounts=amounts, links=links, forgotten=void
        )


def refusing(findings: Sequence[GuardFinding]) -> list[str]:
    """The texts of the findings that let a real run write nothing."""
    return [each.text for each in findings if each.refuses]


def noted(findings: Sequence[GuardFinding]) -> list[str]:
    """The texts of the findings that a run goes on with."""
    return [each.text for each in findings if not each.refuses]
