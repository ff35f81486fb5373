"""What people changed on the side that is written to: kept, or in conflict with the other side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.rules.mapping.comparison import is_empty
from tasks.rules.mapping.model import OnConflict
from tasks.rules.text import ROWS, AddressOf, bullets, cell, lines_of, linked


@dataclass(frozen=True, slots=True)
class Edit:
    """A field that was changed where it is written to since both sides agreed: kept, or in conflict.

    ``base`` is the value of then, None for nothing; ``wanted`` is that of the other side; ``on_conflict`` is
    None where the edit is kept.
    """

    asset_key: str
    configuration_id: int
    name: str
    field: str
    base: Any
    wanted: Any
    current: Any
    on_conflict: OnConflict | None = None

    @property
    def is_conflict(self) -> bool:
        return self.on_conflict is not None


def conflicts_of(edits: Sequence[Edit]) -> list[Edit]:
    """Those that both sides changed, and not alike."""
    return [each for each in edits if each.is_conflict]


def kept_of(edits: Sequence[Edit]) -> list[Edit]:
    """Those that only people changed."""
    return [each for each in edits if not each.is_conflict]


def edits_list(
    edits: Sequence[Edit], link: AddressOf, rows: int = ROWS, *, into: OnConflict = OnConflict.CONNECTWISE
) -> str:
    """A line a field that people changed: the value of before, that of each side, and what becomes of it.

    ``into``: the side that is written to, which people edited.
    """

    def line(each: Edit) -> str:
        values = (
            (each.wanted, each.current) if into is OnConflict.CONNECTWISE else (each.current, each.wanted)
        )
        lansweeper, connectwise = map(_value, values)
        return (
            f"{linked(each.name, link(each.configuration_id))}, {cell(each.field)}: "
            f"was {_value(each.base)}, Lansweeper has {lansweeper}, "
            f"ConnectWise {connectwise}: {_outcome(each.on_conflict, into)}"
        )

    return bullets(lines_of(edits[:rows], line), rows, len(edits))


_OWNERS = {OnConflict.LANSWEEPER: "Lansweeper's value", OnConflict.CONNECTWISE: "ConnectWise's value"}


def _outcome(policy: OnConflict | None, into: OnConflict) -> str:
    if policy is None:
        return "kept"
    if policy is OnConflict.REPORT:
        return "nothing is written until both are alike"
    return f"{_OWNERS[policy]} is {'kept' if policy is into else 'written'}"


def _value(value: Any) -> str:
    return "nothing" if is_empty(value) else cell(value)
