"""Whatever ways a server takes, refuses, breaks or lies about, the answer is what the server holds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any, ClassVar

import pytest

from connectors.connectwise.bulk_reads import BundleAnswer, BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import Collection
from connectors.connectwise.models import TicketKind
from tests.support.ticket_links import ALL_WAYS, MODES, LinkedData, agreement_ids, ticket_ids

pytestmark = pytest.mark.anyio


SEARCH = "/service/tickets/search"
Record = dict[str, Any]


def refuse(linked: LinkedData, path: str, status: int, **when: Any) -> None:
    rule = {"system": "connectwise", "path": path, "fault": {"kind": "status", "status": status}}
    linked.sandbox.faults([rule | when])


def naming(notes: Sequence[str], text: str) -> list[str]:
    return [each for each in notes if text in each]


@pytest.mark.parametrize("status", [400, pytest.param(403, marks=pytest.mark.slow), 500])
async def test_refused_search_falls_to_the_url_once_and_is_noted(linked: LinkedData, status: int) -> None:
    linked.reset("in, by search", tickets=200)
    refuse(linked, SEARCH, status)
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert "service tickets: configuration/id in, in the URL" in links.strategy
    assert len(naming(links.notes, "service tickets: configuration/id in, by ticket search")) == 1
    tries = linked.sandbox.requests()["connectwise"]["by"][f"POST {SEARCH}"]
    assert tries <= (4 if status == 500 else 1)


@pytest.mark.parametrize(
    "status", [pytest.param(400, marks=pytest.mark.slow), 403, pytest.param(500, marks=pytest.mark.slow)]
)
async def test_bundles_that_break_underway_are_left_for_child_collections(
    linked: LinkedData, status: int
) -> None:
    linked.reset("bundles", bundle_limit=2)
    refuse(linked, "/system/bundles", status, nth=list(range(4, 100)))
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert len(naming(links.notes, "service tickets: bundles")) == 1


async def test_a_way_that_only_broke_is_tried_again_by_the_next_run(linked: LinkedData) -> None:
    linked.reset("bundles")
    refuse(linked, "/system/bundles", 500)
    assert "bundles" not in (await linked.tickets()).strategy
    linked.sandbox.faults([])
    assert "bundles" in (await linked.tickets(force_reconcile=True)).strategy


async def test_a_way_that_was_refused_to_other_credentials_is_tried_again(linked: LinkedData) -> None:
    """What a server takes is remembered by tenant, and may depend on the rights of the credentials."""
    linked.reset("child collections")
    await linked.both()
    async with linked.connected() as (client, ledger):
        tenant = client.settings.tenant_key
        ways = await ledger.state.get(tenant, "ways") or {}
        assert "refused" in ways["states"].values()
        await ledger.state.set(tenant, "ways", ways | {"by": "connectwise:server:others"})
    linked.reset("all ways")
    links = await linked.tickets(force_reconcile=True)
    assert ticket_ids(links) == linked.true_tickets()
    assert "configuration/id in, by ticket search" in links.strategy


async def test_a_way_that_was_refused_is_not_asked_again_by_the_next_run(linked: LinkedData) -> None:
    linked.reset("child collections")
    await linked.both()
    linked.sandbox.clear_requests()
    tickets = await linked.tickets(force_reconcile=True)
    by = linked.sandbox.requests()["connectwise"]["by"]
    assert not [name for name in by if name.startswith("POST")]
    assert tickets.notes == []


@pytest.mark.parametrize("status", [400, 403, 404, 500])
async def test_refused_report_falls_to_bundles(linked: LinkedData, status: int) -> None:
    refuse(linked, "/system/reports/ConfigurationAgreement", status)
    links = await linked.agreements()
    assert agreement_ids(links) == linked.true_agreements()
    assert links.strategy == "bundles"
    assert len(naming(links.notes, "report")) == 1


class Lying(ConnectWiseClient):
    """Answers that look right and are not."""


class LosesTickets(Lying):
    """Of every search only the even tickets."""

    async def search_tickets(
        self, kind: TicketKind, conditions: str, *, fields: str | None = None, page_size: int = 1000
    ) -> AsyncIterator[list[Record]]:
        async for page in super().search_tickets(kind, conditions, fields=fields, page_size=page_size):
            yield [each for each in page if each["id"] % 2 == 0]


class IgnoresTheCondition(Lying):
    """Every ticket, whatever is asked."""

    async def search_tickets(
        self, kind: TicketKind, conditions: str, *, fields: str | None = None, page_size: int = 1000
    ) -> AsyncIterator[list[Record]]:
        conditions = conditions.partition(" and ")[0].strip("()")
        async for page in super().search_tickets(kind, conditions, fields=fields, page_size=page_size):
            yield page


class CutsLongLists(Lying):
    """Only the first three configurations of a question count."""

    async def search_tickets(
        self, kind: TicketKind, conditions: str, *, fields: str | None = None, page_size: int = 1000
    ) -> AsyncIterator[list[Record]]:
        before, _, ids = conditions.partition("in (")
        shorter = f"{before}in ({','.join(ids.rstrip(')').split(',')[:3])}))"
        async for page in super().search_tickets(kind, shorter, fields=fields, page_size=page_size):
            yield page


class KnowsTheFirst(Lying):
    """Of a ticket's configurations only the first is found by a search."""

    first: ClassVar[dict[tuple[str, int], int]] = {}

    async def search_tickets(
        self, kind: TicketKind, conditions: str, *, fields: str | None = None, page_size: int = 1000
    ) -> AsyncIterator[list[Record]]:
        ids = {int(each) for each in re.findall(r"\d+", conditions.partition("configuration/id")[2])}
        async for page in super().search_tickets(kind, conditions, fields=fields, page_size=page_size):
            yield [each for each in page if type(self).first.get((kind, each["id"])) in ids]


class MixesBundles(Lying):
    """Every answer of a bundle is that of its neighbour."""

    async def bundle(self, items: Sequence[BundleItem]) -> list[BundleAnswer]:
        answers = await super().bundle(items)
        return answers[1:] + answers[:1]


class ShortReport(Lying):
    """The report lacks the last agreements, and counts without them too."""

    async def count_report(self, name: str, conditions: str | None = None) -> int:
        return len([row async for page in self._short(name, conditions) for row in page])

    async def report_rows(
        self,
        name: str,
        columns: Sequence[str],
        conditions: str | None = None,
        *,
        order_by: str | None = None,
        page_size: int = 1000,
    ) -> AsyncIterator[list[Record]]:
        async for page in self._short(name, conditions):
            yield page

    async def _short(self, name: str, conditions: str | None) -> AsyncIterator[list[Record]]:
        columns = ["AgreementRecId", "ConfigurationRecId"]
        async for page in super().report_rows(name, columns, conditions):
            yield page[: len(page) // 3]


class ActiveReport(ShortReport):
    """The report knows active agreements only, and counts these only."""

    active: ClassVar[set[int]] = set()

    async def _short(self, name: str, conditions: str | None) -> AsyncIterator[list[Record]]:
        columns = ["AgreementRecId", "ConfigurationRecId"]
        async for page in ConnectWiseClient.report_rows(self, name, columns, conditions):
            yield [row for row in page if int(row["AgreementRecId"]) in type(self).active]


@pytest.mark.parametrize(
    "client", [LosesTickets, pytest.param(IgnoresTheCondition, marks=pytest.mark.slow), CutsLongLists]
)
async def test_a_search_that_lies_is_not_believed(linked: LinkedData, client: type[Lying]) -> None:
    linked.reset("in, by search", assets=60, tickets=200)
    linked.client_class = client
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert naming(links.notes, "gives wrong answers")
    again = await linked.tickets(force_reconcile=True)
    assert "by ticket search" not in again.strategy
    assert ticket_ids(again) == linked.true_tickets()


async def test_a_search_that_knows_one_configuration_of_each_ticket_is_not_believed(
    linked: LinkedData,
) -> None:
    linked.reset("in, by search", assets=60, tickets=200)
    KnowsTheFirst.first = {}
    for kind in ("service", "project"):
        for link in linked.sandbox.state(f"{kind}/tickets/configurations"):
            KnowsTheFirst.first.setdefault((kind, link["ticketId"]), link["configurationId"])
    linked.client_class = KnowsTheFirst
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert naming(links.notes, "gives wrong answers")


@pytest.mark.slow
async def test_tickets_of_one_configuration_each_are_looked_at_once(linked: LinkedData) -> None:
    """Where no ticket holds several, nothing shows that the server would say so."""
    linked.reset("in, by search", assets=60, tickets=400)
    company = {each["id"] for each in linked.configurations()}
    held: dict[int, list[int]] = {}
    for link in linked.sandbox.state("service/tickets/configurations"):
        held.setdefault(link["ticketId"], []).append(link["configurationId"])
    for ticket, ids in held.items():
        if len(ids) > 1 and company & set(ids):
            linked.sandbox.edit("service/tickets/configurations", ticket, {"configurationIds": ids[:1]})
    first = await linked.tickets()
    again = await linked.tickets(force_reconcile=True)
    assert again.by_configuration == first.by_configuration
    assert ticket_ids(first) == linked.true_tickets()
    assert first.requests_used > again.requests_used + 30


async def test_bundles_that_mix_up_their_answers_are_not_believed(linked: LinkedData) -> None:
    linked.reset("bundles")
    linked.client_class = MixesBundles
    tickets, agreements = await linked.both()
    assert ticket_ids(tickets) == linked.true_tickets()
    assert agreement_ids(agreements) == linked.true_agreements()
    assert naming(tickets.notes, "gives wrong answers")


async def test_a_report_that_lacks_agreements_is_not_believed(linked: LinkedData) -> None:
    linked.client_class = ShortReport
    links = await linked.agreements()
    assert agreement_ids(links) == linked.true_agreements()
    assert naming(links.notes, "report ConfigurationAgreement can't be used (gives wrong answers)")


async def test_the_report_tells_whether_an_agreement_is_missing_that_covers_a_configuration(
    linked: LinkedData,
) -> None:
    assert (await linked.agreements()).all_named
    half = {"kind": "wrong_read", "how": "half"}
    linked.sandbox.faults([{"system": "connectwise", "path": "/finance/agreements", "fault": half}])
    links = await linked.agreements()
    assert (links.read, links.all_named) == (6, False)
    assert "report" in links.strategy


async def test_a_report_that_leaves_out_ended_agreements_is_not_believed(linked: LinkedData) -> None:
    """The sampled agreements are active ones."""
    linked.sandbox.reset(
        seed=1, assets=30, scenario="enrichment", switches=ALL_WAYS, agreements=12, tickets=70
    )
    agreements = linked.sandbox.state("finance/agreements")
    ActiveReport.active = {each["id"] for each in agreements if each["agreementStatus"] == "Active"}
    linked.client_class = ActiveReport
    links = await linked.agreements()
    assert agreement_ids(links) == linked.true_agreements()
    assert naming(links.notes, "report ConfigurationAgreement can't be used (gives wrong answers)")


CHOSEN = {
    "all ways": ("bundles", "report ConfigurationAgreement"),
    "bundles": ("bundles", "bundles"),
    "report": ("child collections", "report ConfigurationAgreement"),
    "in, by search": ("by ticket search", "child collections"),
    "in, in the URL": ("in the URL", "child collections"),
    "single condition": ("configuration/id = one", "child collections"),
    "child collections": ("child collections", "child collections"),
}
"""What is chosen for tickets and for agreements, by what the server takes."""


async def test_every_way_gives_the_same_answer_record_by_record(linked: LinkedData) -> None:
    """Also for tickets that hold several configurations, and configurations with several of each."""
    linked.reset("child collections")
    true_tickets, true_agreements = linked.true_tickets(), linked.true_agreements()
    held = [ticket for ids in true_tickets.values() for ticket in ids]
    assert len(held) > len(set(held))
    assert min(max(map(len, true_tickets.values())), max(map(len, true_agreements.values()))) > 1
    answers = []
    for mode, (tickets_way, agreements_way) in CHOSEN.items():
        linked.forget_all()
        linked.sandbox.switch(**MODES[mode])
        linked.sandbox.clear_requests()
        tickets, agreements = await linked.both()
        assert (ticket_ids(tickets), agreement_ids(agreements)) == (true_tickets, true_agreements)
        assert tickets_way in tickets.strategy
        assert agreements.strategy == agreements_way
        used = tickets.requests_used + agreements.requests_used
        assert used == linked.sandbox.requests()["connectwise"]["requests"]
        assert used <= 1.3 * (tickets.requests_predicted + agreements.requests_predicted)
        answers.append((tickets.by_configuration, agreements.by_configuration))
    assert all(answer == answers[0] for answer in answers)


async def test_project_tickets_that_do_not_know_the_condition_are_found_otherwise(linked: LinkedData) -> None:
    linked.reset("in, by search", configuration_condition_on_project=False, tickets=400)
    links = await linked.tickets()
    assert ticket_ids(links) == linked.true_tickets()
    assert "service tickets: configuration/id in" in links.strategy
    assert "project tickets: child collections" in links.strategy


async def test_tickets_of_other_companies_are_not_looked_at(linked: LinkedData) -> None:
    configuration = linked.configurations()[0]["id"]
    others = [
        each
        for each in linked.sandbox.state("service/tickets")
        if each["company"]["id"] != linked.sandbox.company_id
    ]
    assert others
    links = await linked.tickets({configuration})
    assert not {each["id"] for each in links.by_configuration[configuration]} & {
        each["id"] for each in others
    }


def deep(levels: int = 1000) -> list[Any]:
    """A list in lists, as deep as a parser lets through; it has no text."""
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


class Spoilt(Collection):
    """The second record of each page holds a value that nothing can be made of."""

    def __init__(self, client: ConnectWiseClient, path: str, member: str) -> None:
        super().__init__(client, path)
        self.member = member

    async def pages(self, *arguments: Any, **search: Any) -> AsyncIterator[list[Record]]:  # type: ignore[override]
        async for page in super().pages(*arguments, **search):
            for each in page[1:2]:
                each[self.member] = deep()
            yield page


class SpoilsRecords(Lying):
    """One agreement and one ticket of each kind can't be read."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.agreements = Spoilt(self, "/finance/agreements", "startDate")

    def tickets(self, kind: TicketKind) -> Collection:
        return Spoilt(self, super().tickets(kind).path.template, "recordType")


async def test_a_record_that_can_not_be_read_costs_its_own_configurations_alone(linked: LinkedData) -> None:
    right_tickets, right_agreements = await linked.both()
    linked.forget_all()
    linked.client_class = SpoilsRecords
    tickets, agreements = await linked.both()
    assert all("agreement" in why and "nested too deeply" in why for why in agreements.unread.values())
    assert all("ticket" in why and "nested too deeply" in why for why in tickets.unread.values())
    for found, right in (
        (tickets.by_configuration, right_tickets.by_configuration),
        (agreements.by_configuration, right_agreements.by_configuration),
    ):
        unread = tickets.unread if found is tickets.by_configuration else agreements.unread
        assert 0 < len(unread) < len(right) / 2
        for number, held in right.items():
            assert number in unread or found[number] == held


class BundlesWithoutIds(Lying):
    """Of a bundle's records many have no id, or something else for one."""

    async def bundle(self, items: Sequence[BundleItem]) -> list[BundleAnswer]:
        answers = await super().bundle(items)
        return [
            replace(each, entities=[{"id": odd} for _ in each.entities]) if at % 3 == 0 else each
            for at, (each, odd) in enumerate(zip(answers, cycle(["seven", None, [1], True]), strict=False))
        ]


async def test_records_of_a_bundle_without_ids_are_read_by_child_collection(linked: LinkedData) -> None:
    linked.reset("bundles")
    linked.client_class = BundlesWithoutIds
    links = await linked.agreements()
    assert agreement_ids(links) == linked.true_agreements()
