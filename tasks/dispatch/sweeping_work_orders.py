"""Looks through the work orders in flight and brings back those to which something has happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from connectors.errors import RejectedError, RetryableError
from connectors.field_nation.models import LIVING, BaseList, status_of
from connectors.ledger.intents import WORK_ORDER
from tasks.dispatch.back import Back, memory_name
from tasks.dispatch.bringing_back import VANISHED, bring_back, preview_back, unlinked
from tasks.dispatch.owners import Owner, linked_owner
from tasks.dispatch.run import DispatchRun, Record, Result
from tasks.dispatch.several import several
from tasks.rules.counts import CountsError
from tasks.rules.dispatch_adoption import double_words, doubles
from tasks.rules.dispatch_outbound import stays_without_rule, times_wanted
from tasks.rules.outbound_words import WorkOrderEvent
from tasks.rules.work_order_events import Known, counted_milestones, events_of, known_of, open_events

LISTS: tuple[BaseList, ...] = ("workorders_in_flight", "workorders_approved")
"""Further those of any list that were made in the last days: drafts, and what is over soon."""
COLUMNS = "status,incident_id,milestones,time_logs"
OVER = {WorkOrderEvent.PAID.value, WorkOrderEvent.CANCELLED.value, VANISHED}


@dataclass
class SweptOrders:
    """One sweep. Every work order listed is a stranger, ``passed`` since nothing happened, or has a result;
    ``unlisted`` are linked ones that no list holds: they are read one by one until they are over.
    """

    listed: int = 0
    strangers: int = 0
    passed: int = 0
    unlisted: int = 0
    backs: list[Back] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """Work orders by result."""
        return Counter(str(each.result) for each in self.backs)

    def check(self) -> None:
        """CountsError if a work order was lost or counted twice."""
        if self.listed + self.unlisted != self.strangers + self.passed + len(self.backs):
            raise CountsError(
                f"{self.listed} work orders listed and {self.unlisted} more are not {self.strangers} of "
                f"others, {self.passed} passed and {len(self.backs)} looked at"
            )


async def sweep_work_orders(run: DispatchRun, *, dry_run: bool = False) -> SweptOrders:
    """Brings back what webhooks missed, and names references that two living work orders carry.

    One request for each 100 work orders of three lists, and then only those to which something has happened.

    Raises:
        RejectedError: Field Nation did not understand a filter, so nothing was believed.
    """
    listed = await _listed(run)
    owners = await _owners(run)
    swept = SweptOrders(listed=len(listed))
    found = doubles(listed.values(), run.settings.reference_prefix)
    swept.doubles = [double_words(reference, ids) for reference, ids in found.items()]
    due: list[tuple[int, Owner]] = []
    for number, work_order in listed.items():
        owner = owners.get(number)
        if owner is None:
            await _stranger(run, work_order, swept)
        elif await _has_news(run, number, owner, work_order):
            due.append((number, owner))
        else:
            swept.passed += 1
    unlisted = [(number, owner) for number, owner in owners.items() if number not in listed]
    still = [(number, owner) for number, owner in unlisted if not await _is_over(run, number)]
    swept.unlisted = len(still)
    swept.backs += await several(
        run, [*due, *still], lambda number, owner: _bring_one(run, number, owner, dry_run)
    )
    swept.check()
    return swept


async def _listed(run: DispatchRun) -> dict[int, Record]:
    found: dict[int, Record] = {}
    for name in LISTS:
        async for page in run.field_nation.work_orders_pages(name, columns=COLUMNS):
            found |= {int(each["id"]): each for each in page}
    days = run.settings.polling.duplicate_days
    if days:
        last = run.now().date()
        first = last.fromordinal(last.toordinal() - days)
        until = last.fromordinal(last.toordinal() + 1)
        recent = await run.field_nation.work_orders_created(str(first), str(until), columns=COLUMNS)
        found |= {int(each["id"]): each for each in recent}
    return dict(sorted(found.items()))


async def _owners(run: DispatchRun) -> dict[int, Owner]:
    links = await run.ledger.links.of_kind(run.tenant, WORK_ORDER)
    found = {int(link.right.id): linked_owner(link) for link in links}
    return {number: owner for number, owner in found.items() if owner is not None}


async def _stranger(run: DispatchRun, work_order: Record, swept: SweptOrders) -> None:
    back = await unlinked(run, work_order)
    if back.result is Result.OUTSIDE or status_of(work_order) not in LIVING:
        swept.strangers += 1
    else:
        swept.backs.append(back)


async def _has_news(run: DispatchRun, number: int, owner: Owner, work_order: Record) -> bool:
    """Whether something is to be done, as far as the list tells; a mapping of one's own reads more."""
    if getattr(run.settings.mappings, owner.kind.value).outbound:
        return True
    rules = run.settings.outbound_rules
    known = await _known(run, number)
    times = times_wanted({"id": number, **work_order}, events_of(work_order, known), rules, known.handled)
    return bool(
        open_events(work_order, known)
        or counted_milestones(work_order, known) != known.milestones
        or times.times
        or stays_without_rule(work_order, rules) - known.handled
    )


async def _is_over(run: DispatchRun, number: int) -> bool:
    return bool(OVER & (await _known(run, number)).handled)


async def _known(run: DispatchRun, number: int) -> Known:
    return known_of(await run.ledger.watermark(run.tenant, memory_name(number)))


async def _bring_one(run: DispatchRun, number: int, owner: Owner, dry_run: bool) -> Back:
    """A refusal of one work order, or a vendor that is away, does not end the sweep."""
    back = Back(number, Result.FAILED, owner.kind, owner.record_id)
    try:
        return await (preview_back(run, number) if dry_run else bring_back(run, number))
    except RetryableError as error:
        return replace(back, message=str(error), retry_after=error.retry_after)
    except RejectedError as error:
        return replace(back, message=str(error))
