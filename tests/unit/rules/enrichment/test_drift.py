"""A stored plan of texts against the plan of now: what is the same, done or drifted, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.enrichment.drift import narrowed_texts, texts_compared_with
from tasks.rules.enrichment.plan import EnrichmentPlan, build_enrichment_plan
from tasks.rules.enrichment.plan_entries import tally_of_texts, text_plan_entries
from tasks.rules.enrichment.render import enrichment_plan_markdown
from tasks.rules.enrichment.texts import AssetState, ConfigurationFacts, wanted_texts
from tasks.rules.stored_plans.drift import PlanComparison
from tasks.rules.stored_plans.entries import EntryKind, entry_of
from tasks.rules.stored_plans.summary import PlanTally
from tests.support.factories.enrichment import asset, facts, ticket, up_to_date

PLAN = "plan-1a2b3c4d5e6f"


@dataclass(frozen=True)
class World:
    """What both vendors have at one moment."""

    configurations: Sequence[ConfigurationFacts]
    assets: Sequence[AssetState]

    @property
    def plan(self) -> EnrichmentPlan:
        return build_enrichment_plan(self.configurations, self.assets)


def compared(before: World, now: World) -> PlanComparison:
    """The plan of ``before``, stored and read again, against that of ``now``."""
    claims = {each.asset_key: each.id for each in now.configurations if each.asset_key}
    comparison = texts_compared_with(now.plan, now.assets, claims)
    for each in text_plan_entries(before.plan):
        comparison.take(entry_of(orjson.loads(orjson.dumps(each.as_dict()))))
    return comparison


WANTED = facts(tickets=[ticket(1)])
BEFORE = World([WANTED], [asset("k1", cw_total_tickets="0")])
TEXTS = wanted_texts(WANTED)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (
            World([facts(tickets=[ticket(1), ticket(2)])], BEFORE.assets),
            "cw_total_tickets was 0 → 1, is 0 → 2",
        ),
        (World([WANTED], [asset("k1", cw_total_tickets="9")]), "cw_total_tickets was 0 → 1, is 9 → 1"),
        (World([WANTED], []), "does not give the asset"),
        (World([WANTED, facts(9016)], BEFORE.assets), "several configurations claim it"),
        (World([facts(9016, tickets=[ticket(1)])], BEFORE.assets), "configuration 9016 now, not 9015"),
        (World([], BEFORE.assets), "no configuration of the company claims it"),
        (World([facts()], [up_to_date(facts())]), "is not to be changed any more"),
    ],
)
def test_what_is_decided_otherwise_has_drifted(now: World, words: str) -> None:
    comparison = compared(BEFORE, now)
    assert (comparison.same, comparison.done) == (set(), 0)
    [drifted] = comparison.drifted
    assert words in drifted.words()
    assert narrowed_texts(now.plan, comparison.why_left(PLAN)).updates == []


def test_what_is_as_planned_already_is_done_and_the_rest_of_a_record_is_the_same() -> None:
    done = compared(BEFORE, World([WANTED], [up_to_date(WANTED)]))
    assert (done.same, done.done, done.drifted) == (set(), 1, [])
    partly = asset("k1", cw_total_tickets="0", cw_configuration_url=TEXTS["cw_configuration_url"])
    assert compared(BEFORE, World([WANTED], [partly])).same == {"k1"}
    assert compared(BEFORE, BEFORE).same == {"k1"}


def test_a_plan_has_an_entry_for_every_configuration_and_says_its_kinds_of_change() -> None:
    plan = World(
        [WANTED, facts(1, "gone"), facts(2, None), facts(3, "k3"), facts(4, "k3")],
        [*BEFORE.assets, asset("k3"), asset("k5", cw_sla="Gold")],
    ).plan
    found = list(text_plan_entries(plan))
    assert [(each.kind, each.asset_key, each.configuration_id) for each in found] == [
        (EntryKind.MODIFY, "k1", 9015),
        (EntryKind.AMBIGUOUS, "k3", None),
        (EntryKind.GONE, "gone", 1),
        (EntryKind.UNLINKED, "", 2),
        (EntryKind.ORPHANED, "k5", None),
    ]
    tally = PlanTally()
    for each in found:
        tally.entry(each)
    assert list(tally.lines()) == list(tally_of_texts(plan).lines())
    page = enrichment_plan_markdown(plan, plan_id=PLAN).replace("\\", "")
    assert page.index("cw_total_tickets: 0 → 1, 1") < page.index("## Changes")
    assert f"`connectwise-flows plans show {PLAN}`" in page


states = st.sampled_from(["gone", "same", "one ticket", "two tickets", "contested", "nobody's"])


def world(parts: Sequence[str]) -> World:
    configurations: list[ConfigurationFacts] = []
    assets: list[AssetState] = []
    for n, part in enumerate(parts):
        key, tickets = (
            f"k{n}",
            [ticket(1), ticket(2)][: ("one ticket", "two tickets").index(part) + 1]
            if ("ticket" in part)
            else [],
        )
        own = facts(n + 1, key, tickets=tickets)
        if part != "nobody's":
            configurations.append(own)
        if part == "contested":
            configurations.append(facts(n + 1001, key))
        if part != "gone":
            assets.append(up_to_date(own) if part == "same" else asset(key))
    return World(configurations, assets)


@settings(max_examples=60)
@given(st.lists(st.tuples(states, states), max_size=15))
def test_only_what_both_plans_decide_alike_is_written_and_all_is_accounted_for(
    parts: list[tuple[str, str]],
) -> None:
    now = world([other for _, other in parts])
    comparison = compared(world([one for one, _ in parts]), now)
    plan = narrowed_texts(now.plan, comparison.why_left(PLAN))
    alike = {f"k{n}" for n, (one, other) in enumerate(parts) if one == other and "ticket" in one}
    assert {each.asset.key for each in plan.updates} == comparison.same == alike
    stored = sum("ticket" in one for one, _ in parts)
    assert len(comparison.same) + comparison.done + len(comparison.drifted) == stored
    assert plan.counts.read == now.plan.counts.read
