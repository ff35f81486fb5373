"""Later runs ask only about what changed, and are right whatever changed; lost or killed runs do no harm.

The sweep of tickets is dated by ConnectWise's clock, since ``lastUpdated`` is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import Collection
from connectors.connectwise.models import TicketKind
from connectors.ledger.store import Ledger
from tasks.connectwise.link_search.search import LinkSearch
from tasks.connectwise.link_search.ticket_cache import TicketCache
from tasks.connectwise.link_search.tickets import sweep_tickets
from tasks.enrichment.settings import EnrichmentWaiting
from tasks.rules.enrichment.query_strategies import QueryStrategies
from tasks.rules.enrichment.ticket_changes import stable_stamp
from tests.support.fake_connectwise import FakeConnectWise
from tests.support.ticket_links import LinkedData, ticket_ids

pytestmark = pytest.mark.anyio


CHILDREN = "service/tickets/configurations"


def requests_by(linked: LinkedData) -> dict[str, int]:
    return dict(linked.sandbox.requests()["connectwise"]["by"])


def held_by(linked: LinkedData, ticket: int) -> list[int]:
    return [each["configurationId"] for each in linked.sandbox.state(CHILDREN) if each["ticketId"] == ticket]


def a_ticket(linked: LinkedData, holding: int = 1) -> int:
    """A service ticket of the company that holds so many configurations."""
    true = linked.true_tickets()
    held = [ticket for ids in true.values() for ticket in ids]
    services = {each["id"] for each in linked.sandbox.state("service/tickets")}
    return next(ticket for ticket in sorted(set(held) & services) if held.count(ticket) == holding)


@pytest.mark.parametrize(
    "mode",
    [
        "all ways",
        pytest.param("in, by search", marks=pytest.mark.slow),
        pytest.param("child collections", marks=pytest.mark.slow),
    ],
)
async def test_second_run_reads_the_tickets_and_asks_about_none(linked: LinkedData, mode: str) -> None:
    linked.reset(mode)
    first = await linked.tickets()
    linked.sandbox.clear_requests()
    second = await linked.tickets()
    assert second.by_configuration == first.by_configuration
    assert (second.asked, second.remembered) == (0, first.asked)
    assert requests_by(linked) == {
        "GET /login/companyinfo/{id}": 1,
        "GET /project/tickets": 1,
        "GET /service/tickets": 1,
    }
    assert second.last_reconcile == first.last_reconcile


@pytest.mark.parametrize("mode", ["all ways", pytest.param("child collections", marks=pytest.mark.slow)])
async def test_only_changed_tickets_are_asked_and_the_answer_is_true(linked: LinkedData, mode: str) -> None:
    """Closed, reopened, attached, detached, added and deleted ones."""
    linked.reset(mode)
    await linked.tickets()
    changed = linked.sandbox.ticket_churn(0.1)
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert links.asked == sum(map(len, changed.values())) - len(changed["delete"])
    state = {
        each["id"]: bool(each.get("closedFlag"))
        for kind in ("service", "project")
        for each in linked.sandbox.state(f"{kind}/tickets")
    }
    shown = [ticket for tickets in links.by_configuration.values() for ticket in tickets]
    assert all(ticket["closedFlag"] == state[ticket["id"]] for ticket in shown)


async def test_detaching_that_moves_nothing_is_found_by_the_reconcile(linked: LinkedData) -> None:
    linked.reset(detach_moves_last_updated=False)
    first = await linked.tickets()
    ticket = a_ticket(linked)
    (held,) = held_by(linked, ticket)
    linked.sandbox.edit(CHILDREN, ticket, {"configurationIds": []})
    assert ticket in ticket_ids(await linked.tickets(reconcile_every=3))[held]
    assert ticket in ticket_ids(await linked.tickets(reconcile_every=3))[held]
    third = await linked.tickets(reconcile_every=3)
    assert ticket_ids(third) == linked.true_tickets()
    assert ticket not in ticket_ids(third)[held]
    assert (third.remembered, third.asked) == (0, first.asked)
    assert third.last_reconcile is not None
    assert first.last_reconcile is not None
    assert first.last_reconcile < third.last_reconcile <= datetime.now(UTC)


async def test_reconcile_on_demand_asks_about_every_ticket(linked: LinkedData) -> None:
    first = await linked.tickets()
    assert (await linked.tickets(force_reconcile=True)).asked == first.asked


@pytest.mark.parametrize(
    "mode",
    [
        "in, by search",
        pytest.param("all ways", marks=pytest.mark.slow),
        pytest.param("single condition", marks=pytest.mark.slow),
        pytest.param("child collections", marks=pytest.mark.slow),
    ],
)
async def test_configurations_that_are_new_to_the_run_are_asked_about(linked: LinkedData, mode: str) -> None:
    """Their tickets did not change; links found by groups are known for the groups' configurations only."""
    linked.reset(mode, tickets=150)
    all_of_them = sorted(each["id"] for each in linked.configurations())
    await linked.tickets(set(all_of_them[:-2]))
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert links.remembered > 0
    again = await linked.tickets()
    assert (again.asked, again.by_configuration) == (0, links.by_configuration)


async def test_configurations_that_left_and_came_back_are_right(linked: LinkedData) -> None:
    linked.reset("in, by search", tickets=120)
    await linked.tickets()
    some = {each["id"] for each in linked.configurations()[:10]}
    linked.sandbox.ticket_churn(0.5)
    assert ticket_ids(await linked.tickets(some)) == {
        each: ids for each, ids in linked.true_tickets().items() if each in some
    }
    assert ticket_ids(await linked.tickets()) == linked.true_tickets()


async def test_a_question_about_a_part_adds_nothing_to_what_is_remembered(linked: LinkedData) -> None:
    linked.reset("in, by search", tickets=120)
    first = await linked.tickets()
    linked.sandbox.ticket_churn(0.1)
    one = linked.configurations()[0]["id"]
    part = await linked.tickets({one}, remember=False)
    assert ticket_ids(part) == {one: linked.true_tickets()[one]}
    second = await linked.tickets()
    assert second.asked == part.asked > 0
    assert second.last_reconcile == first.last_reconcile


async def test_a_lost_ledger_is_a_first_run(linked: LinkedData) -> None:
    first = await linked.tickets()
    linked.forget_all()
    again = await linked.tickets()
    assert (again.asked, again.by_configuration) == (first.asked, first.by_configuration)


class KilledError(RuntimeError):
    """The process was killed."""


class Killed(ConnectWiseClient):
    """Ends after so many child collections of tickets."""

    left = 0

    def ticket_configurations(self, kind: TicketKind, ticket_id: int) -> Collection:
        if type(self).left == 0:
            raise KilledError
        type(self).left -= 1
        return super().ticket_configurations(kind, ticket_id)


@pytest.mark.slow
async def test_a_killed_first_run_goes_on_where_it_was(linked: LinkedData) -> None:
    linked.reset("child collections", assets=10, tickets=280)
    Killed.left = 260
    linked.client_class = Killed
    with pytest.raises(KilledError):
        await linked.tickets()
    linked.client_class = ConnectWiseClient
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert links.remembered >= 200
    assert links.last_reconcile is not None
    assert (await linked.tickets()).asked == 0


class Changing(ConnectWiseClient):
    """A person changes tickets after so many searches."""

    person: Any = None
    searches = 0

    async def search_tickets(self, kind: TicketKind, conditions: str, **options: Any) -> Any:  # type: ignore[override]
        type(self).searches += 1
        if type(self).searches in (4, 9):
            type(self).person()
        async for page in super().search_tickets(kind, conditions, **options):
            yield page


async def test_tickets_that_change_while_they_are_asked_about_are_right_in_the_next_run(
    linked: LinkedData,
) -> None:
    linked.reset("in, by search", tickets=200)
    Changing.person, Changing.searches = lambda: linked.sandbox.ticket_churn(0.04, ["attach", "detach"]), 0
    linked.client_class = Changing
    before = linked.true_tickets()
    links = await linked.tickets()
    assert Changing.searches > 9
    moved = {ticket for ids in before.values() for ticket in ids}
    changed = {
        ticket for each, ids in linked.true_tickets().items() for ticket in set(ids) ^ set(before[each])
    }
    assert changed
    for each, ids in ticket_ids(links).items():
        assert set(ids) - changed == set(before[each]) - changed
    linked.client_class = ConnectWiseClient
    following = await linked.tickets()
    assert ticket_ids(following) == linked.true_tickets()
    assert following.asked <= len(changed) < len(moved)


TENANT, COMPANY = "na/acme", 6
STAMP = "2026-01-01T00:00:00Z"


async def remember(memory: TicketCache, ticket: int, *held: int) -> None:
    await memory.save("service", {ticket: held}, {("service", ticket): STAMP}, datetime.now(UTC))


async def test_a_reconcile_that_goes_on_after_a_kill_is_as_old_as_its_first_questions(tmp_path: Path) -> None:
    async with Ledger.open(tmp_path / "links.db") as ledger:
        killed = await TicketCache.load(ledger, TENANT, COMPANY)
        await killed.begin_reconcile()
        await remember(killed, 1, 10)
        asked = datetime.now(UTC)
        await anyio.sleep(0.01)
        later = await TicketCache.load(ledger, TENANT, COMPANY)
        assert later.reconciling
        assert set(later.known) == {("service", 1)}
        await later.finish([10])
        done = await TicketCache.load(ledger, TENANT, COMPANY)
        assert not done.reconciling
        assert done.last_reconcile is not None
        assert done.last_reconcile <= asked


class Overtaken:
    """A ledger in which another run writes right after the first watermark was read."""

    def __init__(self, ledger: Ledger, other: TicketCache) -> None:
        self.ledger = ledger
        self.state = self
        self.ticket_links = ledger.ticket_links
        self.other = other
        self.reads = 0

    async def get(self, tenant: str, name: str) -> dict[str, Any] | None:
        value = await self.ledger.state.get(tenant, name)
        self.reads += 1
        if self.reads == 1:
            await self.other.limit_to([10])
            await remember(self.other, 1, 10)
        return value


async def test_links_are_not_taken_for_more_complete_than_another_run_made_them(tmp_path: Path) -> None:
    async with Ledger.open(tmp_path / "links.db") as ledger:
        other = await TicketCache.load(ledger, TENANT, COMPANY)
        await other.begin_reconcile()
        overtaken: Any = Overtaken(ledger, other)
        memory = await TicketCache.load(overtaken, TENANT, COMPANY)
        assert set(memory.known) == {("service", 1)}
        assert memory.asked_about == {10}


THERE = datetime(2026, 5, 4, 11, 0, 1, tzinfo=UTC)
"""ConnectWise's time, which this machine's clock is far ahead of."""


async def test_a_ticket_that_changes_now_is_not_settled_by_a_clock_that_is_ahead(ledger_file: Path) -> None:
    vendor = FakeConnectWise()
    date = {"Link": "", "Date": THERE.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    vendor.say("GET", "/company/companies", httpx.Response(200, json=[], headers=date))
    changed = [{"id": 7, "recordType": "ServiceTicket", "_info": {"lastUpdated": "2026-05-04T11:00:31Z"}}]
    vendor.collections = {"/service/tickets": changed, "/project/tickets": []}
    async with vendor.client() as client, Ledger.open(ledger_file) as ledger:
        await client.companies.list()
        sweep = await sweep_tickets(LinkSearch(client, ledger, 6, QueryStrategies(), EnrichmentWaiting()))
    assert abs(sweep.at - THERE) < timedelta(minutes=1)
    assert sweep.stamps[("service", 7)] == "2026-05-04T11:00:31Z"
    assert stable_stamp(sweep.stamps[("service", 7)], sweep.at) == ""
