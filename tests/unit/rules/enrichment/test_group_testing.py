"""Group questions against brute force: exact for tickets that stand still, no harm from those that change."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.enrichment.group_testing import GroupQuestions
from tasks.rules.enrichment.query_strategies import best_rounds, plan_groups

Links = dict[int, frozenset[int]]
PRIMES = [2, 3, 5, 7, 11, 13]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[int], Links]:
    """Configurations, and tickets that hold none to six of them."""
    configurations = draw(st.lists(st.integers(1, 10_000), unique=True, max_size=60))
    held = (
        st.frozensets(st.sampled_from(configurations), max_size=6) if configurations else st.just(frozenset())
    )
    return configurations, draw(st.dictionaries(st.integers(1, 500), held, max_size=25))


def answered(groups: Mapping[int, list[int]], links: Links) -> dict[int, set[int]]:
    """What an honest server says."""
    holders: dict[int, set[int]] = defaultdict(set)
    for ticket, held in links.items():
        for configuration in held:
            holders[configuration].add(ticket)
    return {letter: set().union(*(holders[each] for each in group)) for letter, group in groups.items()}


def solve(configurations: list[int], links: Links, base: int) -> tuple[GroupQuestions, int]:
    questions, asked = GroupQuestions(configurations, links, base), 0
    while not questions.is_done():
        groups = questions.next_groups()
        asked += len(groups)
        questions.take(answered(groups, links))
    return questions, asked


@given(worlds(), st.sampled_from(PRIMES))
def test_what_is_found_is_what_brute_force_finds(world: tuple[list[int], Links], base: int) -> None:
    configurations, links = world
    questions, asked = solve(configurations, links, base)
    assert questions.found == {ticket: links[ticket] for ticket in questions.found}
    assert questions.found.keys() | questions.open.keys() | questions.singly == links.keys()
    assert len(questions.found) + len(questions.open) + len(questions.singly) == len(links)
    assert asked <= base * base
    # Nothing changed meanwhile, so no ticket contradicts itself.
    assert questions.singly == set()


@given(worlds(), st.sampled_from(PRIMES))
def test_tickets_with_at_most_one_are_found_in_as_many_rounds_as_numbers_have_digits(
    world: tuple[list[int], Links], base: int
) -> None:
    configurations, links = world
    single = {ticket: frozenset(sorted(held)[:1]) for ticket, held in links.items()}
    questions = GroupQuestions(configurations, single, base)
    for _ in range(questions.digits):
        if not questions.is_done():
            questions.take(answered(questions.next_groups(), single))
    if questions.digits <= base:
        assert questions.found == single


@given(worlds())
def test_groups_of_one_find_every_ticket_in_one_round(world: tuple[list[int], Links]) -> None:
    configurations, links = world
    questions = GroupQuestions(configurations, links, 61)
    if not questions.is_done():
        questions.take(answered(questions.next_groups(), links))
    assert questions.found == links


@given(worlds(), st.sampled_from(PRIMES), st.data())
def test_a_ticket_that_changes_between_rounds_does_not_harm_the_others(
    world: tuple[list[int], Links], base: int, data: st.DataObject
) -> None:
    """And its own answer, where it is found, accounts for every answer that it appeared in."""
    configurations, links = world
    changing = data.draw(st.sets(st.sampled_from(sorted(links)))) if links else set()
    questions, seen = GroupQuestions(configurations, links, base), []
    while not questions.is_done():
        groups = questions.next_groups()
        said = answered(groups, links)
        seen.append((groups, said))
        questions.take(said)
        for ticket in changing:
            held = st.frozensets(st.sampled_from(configurations), max_size=3)
            links[ticket] = data.draw(held)
    for ticket, held in questions.found.items():
        if ticket not in changing:
            assert held == links[ticket]
        for groups, said in seen:
            told = {letter for letter, tickets in said.items() if ticket in tickets}
            assert told == {letter for letter, group in groups.items() if held & set(group)}
    assert questions.singly <= changing


def test_a_ticket_that_lost_its_only_configuration_is_asked_by_itself() -> None:
    questions = GroupQuestions(range(1, 26), [1, 2], 5)
    questions.take(answered(questions.next_groups(), {1: frozenset({7}), 2: frozenset({8})}))
    questions.take(answered(questions.next_groups(), {1: frozenset(), 2: frozenset({8})}))
    assert (questions.found, questions.singly) == ({2: frozenset({8})}, {1})


def test_a_resolved_ticket_that_gains_a_configuration_is_asked_by_itself() -> None:
    questions = GroupQuestions(range(1, 26), [1, 2], 5)
    questions.take(answered(questions.next_groups(), {1: frozenset(), 2: frozenset({8})}))
    assert questions.found == {1: frozenset()}
    group = next(iter(questions.next_groups().values()))
    questions.take(answered(questions.next_groups(), {1: frozenset(group), 2: frozenset({8})}))
    assert questions.singly == {1}


def test_a_ticket_with_very_many_configurations_is_asked_by_itself() -> None:
    everything = frozenset(range(2000))
    questions, _ = solve(list(everything), {1: everything, 2: frozenset({5})}, 11)
    assert (questions.found, questions.singly) == ({2: frozenset({5})}, {1})


def test_a_group_without_an_answer_is_not_taken_for_one_without_tickets() -> None:
    questions = GroupQuestions([1, 2, 3], [1], 2)
    questions.next_groups()
    with pytest.raises(ValueError, match="no answer"):
        questions.take({0: {1}})


def test_groups_need_a_prime() -> None:
    with pytest.raises(ValueError, match="no prime"):
        GroupQuestions([1], [1], 4)


def made_up(configurations: int, tickets: int, several: float) -> Links:
    """Most tickets hold one configuration, a tenth none, some two to five."""
    draw = random.Random(tickets)
    some = range(configurations)
    return {ticket: frozenset(draw.sample(some, _number(draw, several))) for ticket in range(tickets)}


def _number(draw: random.Random, several: float) -> int:
    if draw.random() < several:
        return draw.choice([2, 2, 2, 3, 5])
    return 0 if draw.random() < 0.1 else 1


@pytest.mark.parametrize(
    ("configurations", "tickets", "fewest", "unit", "bound"),
    [
        (15_000, 4_250, 10, 1 / 20, 90),
        (15_000, 4_250, 10, 1, 160),
        (15_000, 4_250, 75, 1, 400),
        (60, 40, 1, 1, 30),
    ],
)
def test_the_number_of_questions_is_bounded_and_near_what_was_predicted(
    configurations: int, tickets: int, fewest: int, unit: float, bound: int
) -> None:
    links = made_up(configurations, tickets, 0.08)
    plan = plan_groups(configurations, fewest, tickets, unit)
    assert plan is not None
    questions, asked = GroupQuestions(range(configurations), links, plan.base), 0
    while not questions.is_done():
        groups = questions.next_groups()
        if not best_rounds(questions.shapes(), plan.base, len(groups), unit, plan.base - questions.rounds)[0]:
            break
        asked += len(groups)
        questions.take(answered(groups, links))
    cost = asked + len(questions.open) * unit
    assert cost <= bound
    assert cost <= plan.requests * 1.3


@pytest.mark.parametrize("tickets", [0, 1, 5])
def test_few_tickets_are_asked_one_by_one(tickets: int) -> None:
    assert plan_groups(15_000, 10, tickets, 1) is None


@given(st.integers(0, 300), st.integers(1, 400), st.integers(0, 2000), st.sampled_from([1.0, 0.5, 0.05]))
def test_a_plan_is_cheaper_than_asking_one_by_one(
    configurations: int, fewest: int, tickets: int, unit: float
) -> None:
    plan = plan_groups(configurations, fewest, tickets, unit)
    assert plan is None or (plan.requests < tickets * unit and plan.base >= min(fewest, configurations))
