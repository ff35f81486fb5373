"""Persons and faults of the enrichment: drawn from the seed alone, and such as the sandbox takes."""

from __future__ import annotations

import random

from benchmarks.chaos.faults import draw_enrichment_faults
from benchmarks.chaos.people import act, draw_enrichment_people
from deployments.local.sandbox import Sandbox
from sandbox.faults import read_rule


def test_the_same_seed_draws_the_same() -> None:
    for draw in (draw_enrichment_people, lambda rng: draw_enrichment_faults(rng, 5)):
        assert draw(random.Random(5)) == draw(random.Random(5))
    assert len({draw_enrichment_people(random.Random(seed)) != () for seed in range(20)}) == 2


def test_every_rule_is_one() -> None:
    rng = random.Random(1)
    rules = draw_enrichment_faults(rng, 200)
    assert {read_rule(rule, rng).fault["kind"] for rule in rules} == {
        *("partial", "status", "drop_before", "drop_after", "late", "delay", "edit")
    }


def test_every_deed_can_be_done_and_the_links_change(sandbox: Sandbox) -> None:
    sandbox.reset(assets=30, scenario="enrichment", tickets=25)
    before = sandbox.state("finance/agreements/configurations")
    rng = random.Random(2)
    for _ in range(20):
        act(sandbox, draw_enrichment_people(rng))
    assert sandbox.state("finance/agreements/configurations") != before
