"""What was read held against what is known from before: fewer records than last time are not believed.

A vendor can answer with an empty list, half of it, or records without their values, and say 200. Each flow
gives what it counted as ``Amount``; what shrank by more than the limit is a ``GuardFinding``: shown on top of
plan and report, and a real run is refused. A person accepts it for one run with the number that is accepted,
so that an acceptance never lets a worse reading pass later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class ShrinkLimit(BaseModel):
    """How many fewer records than last time are still believed."""

    model_config = ConfigDict(extra="forbid")

    share: float = Field(
        default=0.20,
        ge=0,
        le=1,
        title="Fewer than last time",
        description="0.2 is 20 %: a reading that lost more of its records since the last run is refused.",
    )
    minimum: int = Field(
        default=10,
        ge=0,
        title="Records last time",
        description="Only numbers above this are compared.",
    )


@dataclass(frozen=True, slots=True)
class Amount:
    """One number of a reading.

    ``name`` is its field in the form's Accept once, ``words`` what it counts, in the plural; ``known`` is
    the number of last time, ``read`` of this time. ``said`` of what was read, such as "read now".
    """

    name: str
    words: str
    known: int
    read: int
    said: str = "read now"

    def shrank(self, limit: ShrinkLimit) -> bool:
        """Whether more is missing than the limit believes."""
        return self.known > limit.minimum and self.known - self.read > limit.share * self.known


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """What does not fit to what is known, in words; ``refuses``: a real run is not allowed to write."""

    text: str
    refuses: bool = True


def accepted(name: str, read: int, numbers: Mapping[str, int | None]) -> bool:
    """Whether a person accepted this number or a smaller one."""
    number = numbers.get(name)
    return number is not None and read >= number


def accepted_before(name: str) -> str:
    """The name under which the ledger keeps the number of Accept once that a real run has used."""
    return f"accepted {name}"


def used_up(
    numbers: Mapping[str, int | None], known: Mapping[str, int]
) -> tuple[list[str], list[GuardFinding]]:
    """The names of Accept once whose number an earlier real run has used already, with a finding.

    A number that is left in the form, or in a schedule, lets nothing pass a second time.

    Args:
        known: what the ledger keeps, by name, that of ``accepted_before`` among it.
    """
    used = [
        name
        for name, number in numbers.items()
        if number is not None and known.get(accepted_before(name)) == number
    ]
    if not used:
        return [], []
    typed = ", ".join(f"{name} = {numbers[name]}" for name in used)
    text = (
        f"Accept once still says {typed}, which an earlier run has used: it is not taken again. Leave it "
        "out; a run without it makes room for the same number."
    )
    return used, [GuardFinding(text, refuses=False)]


def marks_of_use(numbers: Mapping[str, int | None], known: Mapping[str, int]) -> dict[str, int]:
    """What the ledger is to keep after a real run: the numbers that were typed, -1 for one typed no more."""
    found = {accepted_before(name): number for name, number in numbers.items()}
    return {
        name: -1 if number is None else number
        for name, number in found.items()
        if number is not None or known.get(name, -1) != -1
    }


def shrink_findings(
    amounts: Iterable[Amount],
    limit: ShrinkLimit,
    accept_once: Mapping[str, int | None],
    read_at: datetime | None = None,
) -> list[GuardFinding]:
    """A finding for each number that shrank by more than the limit.

    Args:
        amounts: what is compared; leave out what can't be, such as a filtered read with a whole one.
        accept_once: the form's accepted numbers by name, None where nothing was typed.
        read_at: when the known numbers were read.
    """
    return [
        acceptable(
            shrink_words(each, limit, read_at),
            each.name,
            each.read,
            accepted(each.name, each.read, accept_once),
        )
        for each in amounts
        if each.shrank(limit)
    ]


def shrink_words(amount: Amount, limit: ShrinkLimit, read_at: datetime | None = None) -> str:
    """How much less was read than was known, and what is still believed."""
    known_since = f" on {read_at:%Y-%m-%d %H:%M} UTC" if read_at else ""
    return (
        f"{amount.words}: {amount.known:,} known from the last reading{known_since}, {amount.read:,} "
        f"{amount.said}, {(amount.known - amount.read) / amount.known:.0%} fewer; more than "
        f"{limit.share:.0%} is not believed."
    )


def acceptable(
    text: str, name: str, number: int, is_accepted: bool, condition: str = "If it is right"
) -> GuardFinding:
    """The finding that refuses until a person accepts the number, and says how; ``condition``: when to."""
    if is_accepted:
        return GuardFinding(f"{text} Accepted for this run.", refuses=False)
    return GuardFinding(f"{text} {condition}, {how_to_accept({name: number})}.")


def how_to_accept(numbers: Mapping[str, int]) -> str:
    """What to type so that these numbers are accepted for one run."""
    typed = ", ".join(f"{name} = {number}" for name, number in numbers.items())
    return f"set Accept once to {typed} for one run"
