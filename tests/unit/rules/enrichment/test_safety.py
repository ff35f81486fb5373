"""What is plausible: fewer than last time, texts lost in bulk, and what a person accepts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.enrichment.plan import EnrichmentPlan, build_enrichment_plan
from tasks.rules.enrichment.render import enrichment_plan_markdown
from tasks.rules.enrichment.safety import (
    AcceptedReading,
    EnrichmentLimits,
    KnownReading,
    Reading,
    TextLosses,
    enrichment_findings,
    losses,
    refusals,
)
from tests.support.factories.enrichment import agreement, asset, facts, ticket, up_to_date

LIMITS, NOTHING_ACCEPTED = EnrichmentLimits(), AcceptedReading()
LAST = Reading(133, 119, 140, 119, 12, 119, 400, 300)


def plan_of(many: int, *, before: object, after: object) -> EnrichmentPlan:
    """So many assets with the texts of one state of ConnectWise, planned by another."""
    then = [facts(number, f"k{number}", **before) for number in range(1, many + 1)]  # type: ignore[arg-type]
    now = [facts(number, f"k{number}", **after) for number in range(1, many + 1)]  # type: ignore[arg-type]
    return build_enrichment_plan(now, [up_to_date(each) for each in then])


def refused(read: Reading, lost: int = 0, accept: AcceptedReading = NOTHING_ACCEPTED) -> list[str]:
    known = KnownReading(LAST)
    return refusals(enrichment_findings(read, known, TextLosses(lost, 119, {}), LIMITS, accept))


GOLD = {"agreements": [agreement(1), agreement(2)], "tickets": [ticket(5), ticket(6, closed=True)]}


@pytest.mark.parametrize(
    ("after", "losing"),
    [
        ({"agreements": [], "tickets": GOLD["tickets"]}, 20),
        ({"agreements": GOLD["agreements"][:1], "tickets": GOLD["tickets"]}, 20),
        ({"agreements": GOLD["agreements"], "tickets": []}, 20),
        # Tickets without their closed flag look open.
        ({"agreements": GOLD["agreements"], "tickets": [ticket(5), ticket(6)]}, 20),
        # What happens every day: a ticket is closed or comes, an agreement is renewed.
        ({"agreements": GOLD["agreements"], "tickets": [ticket(5, closed=True), ticket(6, closed=True)]}, 0),
        ({"agreements": [*GOLD["agreements"], agreement(3)], "tickets": GOLD["tickets"]}, 0),
        (GOLD, 0),
    ],
)
def test_what_counts_as_losing_text(after: dict[str, object], losing: int) -> None:
    plan = plan_of(20, before=GOLD, after=after)
    assert losses(plan, 20).losing == losing
    found = enrichment_findings(Reading(), None, losses(plan, 20), LIMITS, NOTHING_ACCEPTED)
    assert bool(refusals(found)) is (losing > 0)


def test_ten_assets_may_always_lose_text_and_a_fifth_of_many() -> None:
    assert refused(LAST, lost=10) == []
    assert refused(LAST, lost=23) == []
    assert len(refused(LAST, lost=24)) == 1


def test_a_text_that_a_person_wrote_counts_when_it_is_emptied() -> None:
    assets = [asset(f"k{number}", cw_sla="By hand") for number in range(1, 13)]
    plan = build_enrichment_plan([facts(number, f"k{number}") for number in range(1, 13)], assets)
    assert losses(plan, 12).by_field == {"cw_sla": 12}


@pytest.mark.parametrize("name", ["configurations", "linked", "assets", "with_text", "covered", "tickets"])
def test_each_number_that_shrinks_is_named_with_how_to_go_on(name: str) -> None:
    [text] = refused(replace(LAST, **{name: 0}))
    assert f"{getattr(LAST, name):,} known from the last reading" in text
    assert f"set Accept once to {name} = 0" in text
    assert refused(replace(LAST, **{name: 0}), accept=AcceptedReading(**{name: 0})) == []


def test_what_was_not_asked_for_is_not_compared() -> None:
    """Without a link no agreement and no ticket is asked about: that they are none would be a second lie."""
    read = Reading(133, 0, 140, 0)
    assert [text.split(":")[0] for text in refused(read)] == [
        "Configurations with an asset",
        "Assets with ConnectWise texts",
    ]


def test_an_answer_that_was_not_whole_can_not_be_accepted() -> None:
    everything = AcceptedReading(
        **dict.fromkeys(AcceptedReading.model_fields, 0),
    )
    found = enrichment_findings(
        LAST, KnownReading(LAST), TextLosses(0, 119, {}), LIMITS, everything, ["Not whole. Run it again."]
    )
    assert refusals(found) == ["Not whole. Run it again."]


def test_the_numbers_survive_the_ledger_and_nonsense_in_it() -> None:
    assert Reading.from_dict(LAST.as_dict()) == LAST
    assert Reading.from_dict({"configurations": "many", "other": 3}) == Reading()


@given(lost=st.integers(0, 200), accepted=st.integers(0, 200))
def test_an_acceptance_lets_no_more_through_than_its_number(lost: int, accepted: int) -> None:
    passes = not refused(LAST, lost=lost, accept=AcceptedReading(losing=accepted))
    assert passes is (lost <= max(accepted, 23))


def test_findings_stand_on_top_of_the_plan() -> None:
    found = enrichment_findings(Reading(), KnownReading(LAST), TextLosses(0, 0, {}), LIMITS, NOTHING_ACCEPTED)
    text = enrichment_plan_markdown(EnrichmentPlan(), findings=found)
    assert text.index("Not plausible: a real run is refused") < text.index("| Read |")
