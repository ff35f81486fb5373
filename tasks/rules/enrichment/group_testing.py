"""Finds which tickets hold which configurations from questions about groups of configurations.

A question names a group; its answer is the tickets that hold at least one of the group, without saying which.
Every configuration has a code word: its number as a polynomial over the integers modulo a prime, read at the
points 0, 1, 2, ... In each round the configurations with the same letter at that point are one group. Two
configurations share a group in fewer rounds than their numbers have digits (this is a Reed-Solomon code), so
after so many rounds every ticket that holds a single one is found, and further rounds tell apart what
tickets with several leave open.

Only what certainly follows from the answers counts as found. A ticket whose answers fit no set of
configurations, since it changed between two questions, is named so that it is asked by itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

MOST_CELLS = 500
"""A ticket that so many candidates are left for holds very many configurations: it is asked by itself."""

Prefix = tuple[int, ...]


def digits_needed(count: int, base: int) -> int:
    """How many digits number ``count`` things in that base; one at least."""
    digits, reach = 1, base
    while reach < count:
        digits, reach = digits + 1, reach * base
    return digits


def is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


@dataclass(slots=True)
class OpenTicket:
    """A ticket not yet resolved: the letters of its groups by round, and the cells they leave possible."""

    letters: list[frozenset[int]] = field(default_factory=list)
    cells: list[Prefix] = field(default_factory=lambda: [()])

    def is_explained(self) -> bool:
        """Whether every group it was in has a candidate that accounts for it."""
        return bool(self.cells) and all(
            {cell[number] for cell in self.cells} == letters for number, letters in enumerate(self.letters)
        )

    def each_is_needed(self) -> bool:
        """Whether every candidate cell is the only one that accounts for some group."""
        sharing = Counter((number, letter) for cell in self.cells for number, letter in enumerate(cell))
        return all(any(sharing[place] == 1 for place in enumerate(cell)) for cell in self.cells)


class GroupQuestions:
    """The rounds of questions for some tickets and configurations.

    Ask ``next_groups()``, give the answers to ``take``, and so on while it pays. ``found`` holds the
    configurations of each resolved ticket, ``singly`` the tickets whose answers contradict each other or are
    too wide, ``open`` the rest.

    Args:
        configurations: ids; every one that matters must be among them.
        tickets: ids; others in the answers are ignored.
        base: a prime; the number of groups a round at most, and the number of rounds at most.
    """

    def __init__(self, configurations: Iterable[int], tickets: Iterable[int], base: int) -> None:
        if not is_prime(base):
            raise ValueError(f"{base} is no prime")
        self.base = base
        self.open: dict[int, OpenTicket] = {each: OpenTicket() for each in tickets}
        self.found: dict[int, frozenset[int]] = {}
        self.singly: set[int] = set()
        self.rounds = 0
        ordered = sorted(set(configurations))
        self.digits = digits_needed(len(ordered), base)
        self.configurations = frozenset(ordered)
        self._numbers = {each: number for number, each in enumerate(ordered)}
        self._cells: dict[Prefix, list[int]] = {(): ordered} if ordered else {}
        self._asked: dict[int, int] = {}
        if not ordered:
            self.found = {each: frozenset() for each in self.open}
            self.open = {}

    def is_done(self) -> bool:
        """Whether no further round would tell anything: all is resolved, or the code words are at an end."""
        return not self.open or self.rounds >= self.base

    def next_groups(self) -> dict[int, list[int]]:
        """The groups of the next round by their letter: configurations that an open ticket may hold."""
        possible = {cell for ticket in self.open.values() for cell in ticket.cells}
        groups: dict[int, list[int]] = defaultdict(list)
        self._asked = {}
        for cell in sorted(possible):
            for configuration in self._cells[cell]:
                letter = self._letter(configuration)
                self._asked[configuration] = letter
                groups[letter].append(configuration)
        return dict(groups)

    def expected(self, held: Set[int]) -> frozenset[int]:
        """The letters of the groups of this round in which a ticket that holds these must be."""
        return frozenset(self._asked[each] for each in held if each in self._asked)

    def doubt(self, ticket: int) -> None:
        """A resolved ticket has changed meanwhile, so it is to be asked by itself."""
        del self.found[ticket]
        self.singly.add(ticket)

    def take(self, answers: Mapping[int, Set[int]]) -> None:
        """The tickets found for each group of ``next_groups``, by letter.

        Raises:
            ValueError: a group has no answer.
        """
        if set(self._asked.values()) - set(answers):
            raise ValueError("a group has no answer")
        seen = _letters_by_ticket(answers)
        self._cells = self._divided()
        self.rounds += 1
        self._check_found(seen)
        for number, ticket in list(self.open.items()):
            self._narrow(number, ticket, frozenset(seen.get(number, ())))

    def some_hold_several(self) -> bool:
        """Whether the answers so far show a ticket that holds more than one of the configurations."""
        answered = (letters for ticket in self.open.values() for letters in ticket.letters)
        return any(len(each) > 1 for each in (*self.found.values(), *answered))

    def shapes(self) -> Counter[tuple[int, int]]:
        """How many open tickets there are by (configurations they hold at least, candidates)."""
        return Counter(
            (
                max((len(each) for each in ticket.letters), default=1),
                sum(len(self._cells[cell]) for cell in ticket.cells),
            )
            for ticket in self.open.values()
        )

    def _letter(self, configuration: int) -> int:
        """The number's digits, lowest first, are the polynomial's coefficients; its value at this round."""
        rest, power, value = self._numbers[configuration], 1, 0
        while rest:
            rest, digit = divmod(rest, self.base)
            value, power = value + digit * power, power * self.rounds
        return value % self.base

    def _divided(self) -> dict[Prefix, list[int]]:
        cells: dict[Prefix, list[int]] = defaultdict(list)
        for cell, members in self._cells.items():
            for configuration in members:
                if configuration in self._asked:
                    cells[*cell, self._asked[configuration]].append(configuration)
        return dict(cells)

    def _check_found(self, seen: Mapping[int, Set[int]]) -> None:
        for number, held in list(self.found.items()):
            if self.expected(held) != seen.get(number, frozenset()):
                del self.found[number]
                self.singly.add(number)

    def _narrow(self, number: int, ticket: OpenTicket, letters: frozenset[int]) -> None:
        if self.rounds == 1 and not letters:
            self._record(number, frozenset())
            return
        ticket.letters.append(letters)
        divided = ((*cell, letter) for cell in ticket.cells for letter in letters)
        ticket.cells = [cell for cell in divided if cell in self._cells]
        if len(ticket.cells) > MOST_CELLS or not ticket.is_explained():
            del self.open[number]
            self.singly.add(number)
        elif all(len(self._cells[cell]) == 1 for cell in ticket.cells) and ticket.each_is_needed():
            self._record(number, frozenset(self._cells[cell][0] for cell in ticket.cells))

    def _record(self, number: int, held: frozenset[int]) -> None:
        del self.open[number]
        self.found[number] = held


def _letters_by_ticket(answers: Mapping[int, Set[int]]) -> dict[int, set[int]]:
    seen: dict[int, set[int]] = defaultdict(set)
    for letter, tickets in answers.items():
        for number in tickets:
            seen[number].add(letter)
    return seen
