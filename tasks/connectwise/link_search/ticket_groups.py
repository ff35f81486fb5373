"""Group testing: ask which tickets hold one of a group of configurations, then of smaller groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from connectors.connectwise.bulk_reads import LONGEST_SEARCH_CONDITIONS
from connectors.connectwise.conditions import ROOM_FOR_REST, URL_LIMIT, all_of, any_of, equals
from connectors.connectwise.models import Record, TicketKind
from connectors.errors import RejectedError
from tasks.connectwise.link_search.search import (
    AT_ONCE,
    SAMPLE,
    Links,
    LinkSearch,
    StrategyFailedError,
    is_really,
    read_each,
    spread,
    tickets,
    try_strategy,
)
from tasks.rules.enrichment.answers import object_members
from tasks.rules.enrichment.group_testing import GroupQuestions
from tasks.rules.enrichment.query_strategies import (
    BUNDLES,
    GroupQuery,
    Room,
    StrategyState,
    TicketPlan,
    best_rounds,
    cut,
    group_strategy,
)
from tasks.rules.values import written_text
from tasks.shared.concurrency import map_bounded
from tasks.shared.progress import Progress
from tasks.shared.retry import retry

CONFIGURATION = "configuration/id"
FRAME = 120
"""Characters for the rest of the conditions: the company, the field's name, the parentheses."""
ROOMS: dict[GroupQuery, Room] = {
    GroupQuery.SEARCH: Room(LONGEST_SEARCH_CONDITIONS - FRAME),
    GroupQuery.URL: Room(URL_LIMIT - ROOM_FOR_REST - FRAME, comma=3),
    GroupQuery.SINGLE: Room(URL_LIMIT, most=1),
}
LOOKED_AT = 40
"""Tickets read by child collection where the answers name one configuration of each, once for a server."""
PROBED = 2
"""Configurations in a question that only tries a strategy out: with one, ``in`` would not be tried."""


async def ask_one(search: LinkSearch, kind: TicketKind, query: GroupQuery, ids: Sequence[int]) -> set[int]:
    """The company's tickets that hold one of these; StrategyFailedError: the question is not taken."""
    held = equals(CONFIGURATION, ids[0]) if query is GroupQuery.SINGLE else any_of(CONFIGURATION, ids)
    conditions = all_of(equals("company/id", search.company_id), held)

    async def read() -> set[int]:
        if query is GroupQuery.SEARCH:
            pages: AsyncIterator[list[Record]] = search.client.search_tickets(kind, conditions, fields="id")
        else:
            pages = search.client.tickets(kind).pages(conditions, fields="id")
        return {int(each["id"]) async for page in pages for each in page}

    return await try_strategy(group_strategy(kind, query), read, search.waiting)


async def probe_query(
    search: LinkSearch, kind: TicketKind, query: GroupQuery, sample: Links, configurations: Sequence[int]
) -> None:
    """One small question, compared with what the sampled tickets hold; StrategyFailedError if wrong."""
    wanted = set(configurations)
    known = sorted({each for held in sample.values() for each in held} & wanted)[:1]
    others = [each for each in configurations if each not in known]
    ids = [*known, *others][: 1 if query is GroupQuery.SINGLE else PROBED]
    found = await ask_one(search, kind, query, ids)
    for ticket, held in list(sample.items()):
        await _check(search, kind, query, sample, ticket, (ticket in found) == bool(held & set(ids)))
    search.works(group_strategy(kind, query))


async def ask_groups(
    search: LinkSearch,
    plan: TicketPlan,
    query: GroupQuery,
    sample: Links,
    ticket_ids: Sequence[int],
    ids: Sequence[int],
) -> GroupQuestions:
    """Rounds of questions while they pay; what they leave open is to be read ticket by ticket.

    Every round is compared with the sampled tickets, and the end with some that nothing was found for.
    """
    questions = GroupQuestions(ids, ticket_ids, plan.base)
    unit = search.strategies.bundles.unit() if plan.detail == BUNDLES else 1.0
    progress = Progress(f"{plan.kind} tickets: groups of configurations asked")
    while not questions.is_done():
        groups = questions.next_groups()
        rounds_left = questions.base - questions.rounds
        if not best_rounds(questions.shapes(), questions.base, len(groups), unit, rounds_left)[0]:
            break
        answers = await _ask_round(search, plan.kind, query, groups)
        for ticket, held in list(sample.items()):
            seen = {letter for letter, found in answers.items() if ticket in found}
            await _check(search, plan.kind, query, sample, ticket, questions.expected(held) == seen)
        questions.take(answers)
        progress.advance(len(groups))
    # Tickets that the answers leave out look as if they held nothing, so these are looked at above all.
    empty = sorted(ticket for ticket, held in questions.found.items() if not held)
    fullest = sorted(questions.found, key=lambda ticket: -len(questions.found[ticket]))[:1]
    looked_at = list(dict.fromkeys([*spread(empty, SAMPLE), *fullest]))
    await _look_at(search, plan.kind, query, questions, looked_at)
    await _check_several(search, plan.kind, query, questions)
    return questions


async def _check_several(
    search: LinkSearch, kind: TicketKind, query: GroupQuery, questions: GroupQuestions
) -> None:
    """The condition names one ``configuration``: a server may know only the first one of each ticket.

    Answers in which no ticket holds several are compared with many tickets, unless that was done before.
    """
    known = f"{group_strategy(kind, query)}: tickets with several"
    if search.strategies.state(known) is StrategyState.WORKS:
        return
    if not questions.some_hold_several():
        held = sorted(ticket for ticket, found in questions.found.items() if found)
        await _look_at(search, kind, query, questions, spread(held, LOOKED_AT))
    search.works(known)


async def _look_at(
    search: LinkSearch,
    kind: TicketKind,
    query: GroupQuery,
    questions: GroupQuestions,
    looked_at: Sequence[int],
) -> None:
    """Compare what was found with child collections; StrategyFailedError if an unchanged ticket differs."""
    really = await read_each(search, tickets(search.client, kind), looked_at)
    for ticket in looked_at:
        if ticket in really and really[ticket] & questions.configurations == questions.found[ticket]:
            continue
        if ticket in really and await _is_as_swept(search, kind, ticket):
            raise _wrong(kind, query, ticket)
        questions.doubt(ticket)


async def _is_as_swept(search: LinkSearch, kind: TicketKind, ticket: int) -> bool:
    try:
        record = await retry(
            lambda: search.client.tickets(kind).get(ticket, fields="id,_info/lastUpdated"), search.waiting
        )
    except RejectedError:
        return False
    updated = written_text(object_members(record.get("_info")).get("lastUpdated")) or ""
    return updated == search.stamps.get((kind, ticket))


async def _ask_round(
    search: LinkSearch, kind: TicketKind, query: GroupQuery, groups: Mapping[int, Sequence[int]]
) -> dict[int, set[int]]:
    questions = [(letter, part) for letter, group in groups.items() for part in cut(group, ROOMS[query])]

    async def ask(question: tuple[int, list[int]]) -> tuple[int, set[int]]:
        letter, ids = question
        return letter, await ask_one(search, kind, query, ids)

    answers: dict[int, set[int]] = {letter: set() for letter in groups}
    for letter, found in await map_bounded(questions, ask, AT_ONCE, on_error="cancel"):
        answers[letter] |= found
    return answers


async def _check(
    search: LinkSearch, kind: TicketKind, query: GroupQuery, sample: Links, ticket: int, fits: bool
) -> None:
    """A sampled ticket that contradicts an answer and has not changed meanwhile: the answer is wrong."""
    if fits:
        return
    if await is_really(search, tickets(search.client, kind), ticket, sample[ticket]):
        raise _wrong(kind, query, ticket)
    del sample[ticket]


def _wrong(kind: TicketKind, query: GroupQuery, ticket: int) -> StrategyFailedError:
    reason = f"ticket {ticket} holds other configurations than its child collection says"
    return StrategyFailedError(group_strategy(kind, query), StrategyState.WRONG, reason)
