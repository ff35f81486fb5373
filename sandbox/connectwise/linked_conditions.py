"""`configuration/id` in the conditions of tickets: a name that no vendor's page mentions.

Seen on a 2026.3 server: `configuration/id=N` on service tickets works; the plural name is refused, and so are
several joined by OR. Whether `in` works and whether project tickets know the name is open: two switches.
"""

from collections.abc import Mapping
from typing import Literal

from sandbox.connectwise.comparing import Test
from sandbox.connectwise.conditions import ConditionError, Expression, Group, Term, terms
from sandbox.connectwise.fields import Table
from sandbox.connectwise.links import Links
from sandbox.connectwise.store import Store
from sandbox.connectwise.ticket_tables import (
    PROJECT_TICKET_CONFIGURATIONS,
    PROJECT_TICKETS_NAME,
    SERVICE_TICKET_CONFIGURATIONS,
    SERVICE_TICKETS_NAME,
)
from sandbox.switches import Switches

NAME = "configuration/id"
OPERATORS: Mapping[str, tuple[str, ...]] = {"single": ("=",), "in": ("=", "in")}


class LinkedCondition:
    """Tests tickets by their configurations; `mode` says which operators the server takes."""

    def __init__(self, links: Links, mode: Literal["single", "in"]) -> None:
        """Nothing is copied: the links are read when a ticket is tested."""
        self._links = links
        self._operators = OPERATORS[mode]

    def check(self, expression: Expression) -> None:
        """Refuse the name below an OR.

        Raises:
            ConditionError: it is there.
        """
        if isinstance(expression, Term):
            return
        for part in expression.parts:
            self.check(part)
        joined = [one for one in terms(expression) if _is_name(one)]
        if joined and isinstance(expression, Group) and not expression.every:
            raise _unknown(joined[0])

    def test(self, term: Term) -> Test | None:
        """A test of stored tickets, or None for any other name.

        Raises:
            ConditionError: an operator or value that the name is not compared with.
        """
        if not _is_name(term):
            return None
        if term.operator not in self._operators or term.negated:
            raise _unknown(term)
        wanted = frozenset(_id(value) for value in term.values)
        are_any_of = self._links.are_any_of
        return lambda ticket: are_any_of(ticket["id"], wanted)


def linked_condition(table: Table, store: Store, switches: Switches) -> LinkedCondition | None:
    """What the server knows of the name in this collection's conditions; None: nothing."""
    mode = switches.configuration_condition
    if mode == "off":
        return None
    if table.name == SERVICE_TICKETS_NAME:
        return LinkedCondition(store.links(SERVICE_TICKET_CONFIGURATIONS.name), mode)
    if table.name == PROJECT_TICKETS_NAME and switches.configuration_condition_on_project:
        return LinkedCondition(store.links(PROJECT_TICKET_CONFIGURATIONS.name), mode)
    return None


def _is_name(term: Term) -> bool:
    return term.path.lower() == NAME


def _unknown(term: Term) -> ConditionError:
    return ConditionError(f"{term.path} is not a recognized name.")


def _id(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise ConditionError(f"{NAME} is a number; '{value}' is not.")
