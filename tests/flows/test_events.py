"""Runs emit the events that automations can act on: few, bounded, and never at a run's cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from prefect import flow
from prefect.events import Event
from prefect.events.clients import AssertingEventsClient, NullEventsClient
from prefect.events.worker import EventsWorker

from connectors.ledger.models import HeldRecord
from connectors.ledger.store import Ledger
from tasks.dispatch.refusals import Refusals
from tasks.dispatch.settings import DispatchSettings
from tasks.rules.asset_sync.safety import SafetyThresholds
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import RecordRef
from tasks.shared import events
from tasks.shared.events import EventSubject, announce_held, announce_refusal
from tests.support.faults import BULK, LEAN, opened, rule, status
from tests.support.run_enrichment import Enricher
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

SUBJECT = EventSubject("asset-synchronization", 250, "Contoso")
WRONG = {"kind": "wrong_read", "how": "half"}


async def drained() -> None:
    """Wait until every queued event is with its client."""
    left = EventsWorker.drain_all()
    if left is not None:
        await left


class Emitted:
    async def ours(self) -> list[Event]:
        """The project's own events until now, in order; each is told once."""
        await drained()
        found = [each for client in AssertingEventsClient.all for each in client.pop_events()]
        return [each for each in found if each.event.startswith("connectwise-flows.")]


@pytest.fixture
async def emitted(runner: FlowRunner) -> AsyncIterator[Emitted]:
    """Events are recorded; the session's server gets none."""
    AssertingEventsClient.reset()
    EventsWorker.set_client_override(AssertingEventsClient)
    yield Emitted()
    await drained()
    EventsWorker.set_client_override(NullEventsClient)


def kinds(event: Event) -> set[str]:
    return {each.id.rpartition(".")[0] for each in event.related}


async def test_a_plan_is_announced_and_a_refusal_too(runner: FlowRunner, emitted: Emitted) -> None:
    await runner.state(dry_run=True, mappings=LEAN)
    [plan] = await emitted.ours()
    company = f"connectwise-flows.asset-synchronization.company.{runner.sandbox.company_id}"
    assert (plan.event, plan.resource.id) == ("connectwise-flows.plan.published", company)
    assert plan.resource["connectwise-flows.company"] == runner.sandbox.company
    assert kinds(plan) >= {"prefect.flow-run", "prefect.flow"}
    assert (plan.payload["dry_run"], plan.payload["refused"]) == (True, 0)
    assert plan.payload["counts"]["created"] > 0
    ceilings = SafetyThresholds(created=0, modified=0, minimum=0)
    state = await runner.state(mappings=LEAN, ceilings=ceilings)
    assert state.is_failed()
    published, refused = await emitted.ours()
    assert published.payload["refused"] == len(published.payload["reasons"]) > 0
    assert (refused.event, refused.resource.id) == ("connectwise-flows.run.refused", company)
    assert "the ceiling is 0" in refused.payload["reasons"][0]
    assert kinds(refused) >= {"prefect.flow-run", "prefect.flow"}


async def test_records_that_are_refused_make_one_event(runner: FlowRunner, emitted: Emitted) -> None:
    runner.sandbox.faults([rule("POST", BULK, status(400), share=1.0)])
    report = await runner.report(mappings=LEAN)
    [held] = [each for each in (await emitted.ours()) if each.event == "connectwise-flows.records.held"]
    assert held.payload["held"] == report.counts.failed > len(held.payload["records"])
    assert held.payload["records"][0]["reason"]


async def test_an_implausible_enrichment_is_announced(enricher: Enricher, emitted: Emitted) -> None:
    faults = {"system": "connectwise", "path": "/company/configurations", "share": 1.0, "fault": WRONG}
    enricher.sandbox.faults([faults])
    assert (await enricher.enrich_state()).is_failed()
    plan, refused = await emitted.ours()
    assert (plan.event, refused.event) == (
        "connectwise-flows.plan.published",
        "connectwise-flows.run.refused",
    )
    assert refused.resource.id.startswith("connectwise-flows.tickets-agreements-sla-sync.company.")
    assert plan.payload["reasons"] == refused.payload["reasons"]


async def test_dispatch_tells_of_all_held_records_at_once(runner: FlowRunner, emitted: Emitted) -> None:
    @flow(name="holding", persist_result=False)
    async def hold() -> None:
        async with Ledger.open(runner.ledger) as ledger:
            refusals = Refusals(ledger, "tenant", DispatchSettings())
            for number in (1, 2, 2):
                await refusals.hold(RecordRef(RecordKind("service"), number, "CW"), None, "can't be read")
            refusals.announce()
            refusals.announce()

    await hold()
    [event] = await emitted.ours()
    assert (event.resource.id, event.payload["held"]) == ("connectwise-flows.dispatch", 2)


def record(number: int) -> HeldRecord:
    reason = f"password=abcdefgh1234 {'x' * 9000}"
    return HeldRecord(f"k{number}", "create", "PC\n\u202e" + "y" * 9000, 7, "p", "v", "r", reason)


async def test_an_event_is_bounded_and_holds_no_secret(runner: FlowRunner, emitted: Emitted) -> None:
    @flow(name="bounded", persist_result=False)
    async def announce() -> None:
        announce_held(SUBJECT, [record(number) for number in range(5000)])
        announce_refusal(SUBJECT, ["z" * 9000] * 5000)
        announce_held(SUBJECT, [])

    await announce()
    held, refused = await emitted.ours()
    assert (held.payload["held"], len(held.payload["records"])) == (5000, events.MOST_LISTED)
    assert "abcdefgh1234" not in held.model_dump_json()
    assert max(each.size_bytes for each in (held, refused)) < 20_000


async def test_an_event_that_can_t_be_sent_costs_no_run(
    runner: FlowRunner, emitted: Emitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("no server")

    monkeypatch.setattr(events, "emit_event", broken)
    assert (await runner.state(dry_run=True, mappings=LEAN)).is_completed()


async def test_nothing_is_emitted_outside_of_runs(runner: FlowRunner, emitted: Emitted) -> None:
    async with opened():
        announce_refusal(SUBJECT, ["why"])
    assert (await emitted.ours()) == []
