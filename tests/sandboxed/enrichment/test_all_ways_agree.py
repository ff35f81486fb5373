"""Whatever ways a server takes, the answer is the same, record by record, and is what the server holds."""

from __future__ import annotations

import pytest

from tests.support.ticket_links import MODES, LinksWorld, agreement_ids, ticket_ids

pytestmark = pytest.mark.anyio

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


async def test_every_way_gives_the_same_answer_record_by_record(world: LinksWorld) -> None:
    """Also for tickets that hold several configurations, and configurations with several of each."""
    world.reset("child collections")
    true_tickets, true_agreements = world.true_tickets(), world.true_agreements()
    held = [ticket for ids in true_tickets.values() for ticket in ids]
    assert len(held) > len(set(held))
    assert min(max(map(len, true_tickets.values())), max(map(len, true_agreements.values()))) > 1
    answers = []
    for mode, (tickets_way, agreements_way) in CHOSEN.items():
        world.forget_all()
        world.sandbox.switch(**MODES[mode])
        world.sandbox.clear_requests()
        tickets, agreements = await world.both()
        assert (ticket_ids(tickets), agreement_ids(agreements)) == (true_tickets, true_agreements)
        assert tickets_way in tickets.way
        assert agreements.way == agreements_way
        used = tickets.requests_used + agreements.requests_used
        assert used == world.sandbox.requests()["connectwise"]["requests"]
        assert used <= 1.3 * (tickets.requests_predicted + agreements.requests_predicted)
        answers.append((tickets.by_configuration, agreements.by_configuration))
    assert all(answer == answers[0] for answer in answers)


async def test_project_tickets_that_do_not_know_the_condition_are_found_otherwise(world: LinksWorld) -> None:
    world.reset("in, by search", configuration_condition_on_project=False, tickets=400)
    links = await world.tickets()
    assert ticket_ids(links) == world.true_tickets()
    assert "service tickets: configuration/id in" in links.way
    assert "project tickets: child collections" in links.way


async def test_tickets_of_other_companies_are_not_looked_at(world: LinksWorld) -> None:
    configuration = world.configurations()[0]["id"]
    others = [
        each
        for each in world.sandbox.state("service/tickets")
        if each["company"]["id"] != world.sandbox.company_id
    ]
    assert others
    links = await world.tickets({configuration})
    assert not {each["id"] for each in links.by_configuration[configuration]} & {
        each["id"] for each in others
    }
