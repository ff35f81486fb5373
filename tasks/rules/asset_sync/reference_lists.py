"""A list of reference records held against what is known, before a name that it lacks is created.

An empty list, half of one, or a page that comes twice lacks names that exist: they would be created a second
time, or be refused as existing. A list is in doubt if it has fewer records than an earlier run read, none at
all or one twice, or, where no earlier run is known, not the name of a record that a configuration refers to.
Only then ConnectWise is asked to count it: ``ReferenceList.in_doubt``, then ``list_finding``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.reading import REFERENCES, RUN_AGAIN, WHOLE, AcceptOnce, incomplete_words
from tasks.rules.asset_sync.references import ReferenceKind, ReferencePlan
from tasks.rules.guards import Amount, GuardFinding, ShrinkLimit, acceptable, accepted, shrink_words
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.values import ConfigurationRecord, folded

TENANT_WIDE = 0
"""The company under which the ledger keeps what is the whole tenant's."""
_EXAMPLES = 3


@dataclass(slots=True)
class ReferenceList:
    """The records of one kind as read.

    Attributes:
        in_use: folded name -> name, of the records that the company's configurations refer to.
        wanted: how many names the assets give.
        known: how many records an earlier run read, None where nothing is known.
        doubted: there is a finding about the list, so nothing is concluded from what it lacks.
    """

    kind: ReferenceKind
    records: list[dict[str, Any]]
    in_use: Mapping[str, str] = field(default_factory=dict)
    wanted: int = 0
    known: KnownAmount | None = None
    doubted: bool = False

    @property
    def read(self) -> int:
        """How many different records were read."""
        return len({each.get("id") for each in self.records})

    @property
    def words(self) -> str:
        """What the list holds, in the plural and with a capital."""
        plural = f"{self.kind.label}es" if self.kind.label.endswith("s") else f"{self.kind.label}s"
        return plural[0].upper() + plural[1:]

    def not_listed(self) -> list[str]:
        """Names in use that the list lacks, sorted."""
        listed = {folded(self.kind.name_of(each)) for each in self.records}
        return sorted(name for key, name in self.in_use.items() if key not in listed)

    def in_doubt(self) -> bool:
        """Whether the list may lack records that exist, so that a count is worth a request."""
        if self.read != len(self.records):
            return True
        if self.known is not None:
            return self.read < self.known.number
        return bool(self.not_listed()) if self.records else bool(self.wanted or self.in_use)


def names_in_use(
    configurations: Iterable[ConfigurationRecord], mapping: CompiledMapping, path: str
) -> dict[str, str]:
    """Folded name -> name, of the records that the configurations refer to."""
    position = mapping.position(path)
    if position is None:
        return {}
    names = {name for each in configurations if isinstance(name := each.current[position], str)}
    return {folded(name): name for name in names if name.strip()}


def list_finding(
    each: ReferenceList, counted: int, total: int, accept: AcceptOnce, limit: ShrinkLimit
) -> GuardFinding | None:
    """The finding for a list that is not as long as ConnectWise counts, or much shorter than it was.

    Args:
        counted: by ConnectWise.
        total: records of all lists that were read, by which a person accepts them.
    """
    is_accepted = accepted(REFERENCES, total, accept.model_dump())
    if each.read != counted:
        text = f"{incomplete_words(each.words, each.read, counted)}{_known(each)}{_lacking(each)}"
        return acceptable(text, REFERENCES, total, is_accepted, RUN_AGAIN)
    if each.known is None:
        return None
    amount = Amount(REFERENCES, each.words, each.known.number, each.read)
    if not amount.shrank(limit):
        return None
    text = f"{shrink_words(amount, limit, each.known.read_at)}{_lacking(each)}"
    return acceptable(text, REFERENCES, total, is_accepted)


def _known(each: ReferenceList) -> str:
    return "" if each.known is None else f" An earlier run read {each.known.number:,}."


def _lacking(each: ReferenceList) -> str:
    missing = each.not_listed()
    if not missing:
        return ""
    named = ", ".join(repr(name[:60]) for name in missing[:_EXAMPLES])
    return f" Configurations refer to such as the list lacks: {named}."


def refuse_hidden(plan: ReferencePlan, in_use: Mapping[str, str]) -> None:
    """Take names that configurations refer to out of those to be created: they exist."""
    for name in [name for name in plan.missing if folded(name) in in_use]:
        plan.missing.remove(name)
        plan.refused[name] = plan.problems[folded(name)] = (
            f"{plan.kind.label} {name[:60]!r} exists, since configurations refer to it, but the list of "
            f"ConnectWise does not show it: see whether the API member may see it"
        )


def table_problems(
    tables: Mapping[str, Mapping[str, str | None]], lists: Mapping[str, ReferenceList]
) -> list[str]:
    """Records that a value table names and ConnectWise does not have: a slip would create them.

    Args:
        tables: by target path: Lansweeper value -> name, None to leave the field out.
    """
    problems = []
    for path, each in lists.items():
        names = {folded(name): name for record in each.records if (name := each.kind.name_of(record))}
        for value, wanted in tables.get(path, {}).items():
            if wanted is None or each.doubted or folded(wanted) in names or folded(wanted) in each.in_use:
                continue
            close = difflib.get_close_matches(folded(wanted), names, n=3, cutoff=0.5)
            near = f" Near it: {', '.join(repr(names[name]) for name in close)}." if close else ""
            problems.append(
                f"Value tables means {value!r} as the {each.kind.label} {wanted!r}, which ConnectWise does "
                f"not have.{near} Choose one that exists, or take the row out."
            )
    return problems


def list_name(path: str) -> tuple[str, str]:
    """Name and scope under which the ledger keeps how long the list of that target path was."""
    return f"list of {path}", WHOLE
