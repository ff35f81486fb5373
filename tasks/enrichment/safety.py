"""Hold a run's reading and its plan against what the last run left behind; refuse what is not plausible.

What the last run read is kept in ``ledger.inventory`` under a scope for each Lansweeper site, once the run
has come to its end: a refused run leaves the numbers that it was refused for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from connectors.connectwise.conditions import equals
from connectors.ledger.models import KnownAmount
from tasks.enrichment.plan import ConfigurationLinks
from tasks.enrichment.read import asset_key_of
from tasks.enrichment.run import EnrichmentRun, Record
from tasks.rules.enrichment.plan import EnrichmentPlan
from tasks.rules.enrichment.safety import KnownReading, Reading, enrichment_findings, losses, refusals
from tasks.rules.enrichment.texts import AssetState, short_fields
from tasks.rules.guards import GuardFinding, acceptable, accepted, marks_of_use, used_up
from tasks.shared.action import Inventory
from tasks.shared.events import announce_refusal
from tasks.shared.journalled import WriteResult
from tasks.shared.retry import retry
from tasks.shared.stored_plans import refuse_drifted

SCOPE = "enrichment of site {}"


class ImplausiblePlanError(RuntimeError):
    """What was read, or what the plan would take away, does not fit to what is known; nothing was written."""


def reading_of(
    configurations: Inventory[Record], assets: Inventory[AssetState], links: ConfigurationLinks
) -> Reading:
    """The numbers of what this run read."""
    claims = [key for each in configurations if (key := asset_key_of(each))]
    claimed = set(claims)
    read = Reading(
        configurations=len(configurations),
        linked=len(claims),
        assets=len(assets),
        with_text=sum(each.key in claimed and any(each.values.values()) for each in assets),
    )
    if not claims:
        return read
    return replace(
        read,
        agreements_read=links.agreements_read,
        covered=sum(map(len, links.agreements.values())),
        tickets=links.tickets_read,
        attached=sum(map(len, links.tickets.values())),
    )


async def check_plan(
    run: EnrichmentRun, read: Reading, plan: EnrichmentPlan, whole: Collection[str] = ()
) -> list[GuardFinding]:
    """What is not plausible of this run; a real run does not write while one of it refuses.

    Costs a request to ConnectWise for each collection that gave fewer records than last time, and for each
    of which no last time is known, unless it is among those that are known to be ``whole``.
    """
    amounts = await _numbers(run)
    known = _known(amounts)
    used, found = used_up(run.settings.accept_once.model_dump(), _plain(amounts))
    accept_once = run.settings.accept_once.model_copy(update=dict.fromkeys(used))
    before = known.reading if known else Reading(None)
    incomplete = [*run.doubts, *await _uncounted(run, read, before, whole)]
    settings = run.settings
    if run.unlisted_fields:
        listed = len(run.listed_fields)
        text = short_fields(len(run.unlisted_fields), listed)
        is_accepted = accepted("custom_fields", listed, accept_once.model_dump())
        found.append(acceptable(text, "custom_fields", listed, is_accepted, "Run again; if it is right"))
    return found + enrichment_findings(
        read, known, losses(plan, read.with_text), settings.limits, accept_once, incomplete
    )


def refuse_plan(run: EnrichmentRun, findings: Sequence[GuardFinding], drifted: Sequence[str]) -> None:
    """Refuse to write a plan that is not plausible, or not the stored one.

    Raises:
        ImplausiblePlanError: with all that is not plausible, unless a person accepted it for this run.
        PlanRefusedError: with all that ``drifted`` since the plan was stored.
    """
    refused = refusals(findings)
    if refused or drifted:
        announce_refusal(run.subject, [*refused, *drifted])
    refuse_drifted([] if refused else drifted)
    if refused:
        raise ImplausiblePlanError(f"{' '.join(refused)} Nothing was written.")


async def keep_reading(
    run: EnrichmentRun, read: Reading, plan: EnrichmentPlan, edited: Mapping[str, WriteResult]
) -> None:
    """Keep the numbers for the next run, which begins with the texts that this one wrote."""
    filled = [each for each in plan.updates if not any(each.asset.values.values())]
    written = sum(edited[each.asset.key].ok for each in filled if each.asset.key in edited)
    marks = marks_of_use(run.settings.accept_once.model_dump(), _plain(await _numbers(run)))
    await _keep(run, replace(read, with_text=read.with_text + written).as_dict() | marks)


async def forget_texts(run: EnrichmentRun) -> None:
    """After an undo: that the assets have fewer texts is as a person wished it."""
    await _keep(run, {"with_text": 0})


async def _uncounted(run: EnrichmentRun, read: Reading, known: Reading, whole: Collection[str]) -> list[str]:
    """A sentence for each collection of which ConnectWise counts clearly more records than it gave."""
    client, condition = run.client, equals("company/id", run.company.id)
    collections = {
        "configurations": [client.configurations],
        "agreements_read": [client.agreements],
        "tickets": [client.tickets("service"), client.tickets("project")],
    }
    before, now = known.as_dict(), read.as_dict()
    found = []
    for name, sources in collections.items():
        words = name.removesuffix("_read")
        last, given = before[name], now[name]
        if given is None or (name in whole if last is None else given >= last):
            continue
        numbers = [
            await retry(lambda each=each: each.count(condition), run.settings.waiting)  # type: ignore[misc]
            for each in sources
        ]
        # Records come and go between two requests, and a list of service tickets may hold project tickets.
        if max(numbers) > given + max(2, given // 100):
            found.append(
                f"ConnectWise counts {max(numbers):,} {words} of {run.company.identifier} and gave "
                f"{given:,} of them: its answer was not whole. Run it again."
            )
    return found


def _scope(run: EnrichmentRun) -> str:
    return SCOPE.format(run.site_id)


async def _numbers(run: EnrichmentRun) -> dict[str, KnownAmount]:
    """What the ledger keeps of the company and the site, by name."""
    amounts = await run.ledger.inventory.amounts(run.tenant, run.company.id)
    return {name: each for (name, scope), each in amounts.items() if scope == _scope(run)}


def _plain(amounts: Mapping[str, KnownAmount]) -> dict[str, int]:
    return {name: each.number for name, each in amounts.items()}


def _known(amounts: Mapping[str, KnownAmount]) -> KnownReading | None:
    if not amounts:
        return None
    return KnownReading(Reading.from_dict(_plain(amounts)), max(each.read_at for each in amounts.values()))


async def _keep(run: EnrichmentRun, numbers: Mapping[str, int | None]) -> None:
    scope = _scope(run)
    amounts = {(name, scope): number for name, number in numbers.items() if number is not None}
    await run.ledger.inventory.remember(run.tenant, run.company.id, amounts=amounts)
