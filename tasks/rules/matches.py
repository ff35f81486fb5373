"""What matching answers: every asset in one of three lists, and the configurations nobody claims any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tasks.rules.records import AssetRecord, ConfigurationRecord

MatchedOn = Literal["link", "serial", "mac", "name"]


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """``case_sensitive`` governs serial number and name.

    ``complete``: the whole site was read without a filter, so a linked key that is not there is gone.
    """

    case_sensitive: bool = True
    complete: bool = False


@dataclass(slots=True)
class Match:
    """An asset and its configuration; ``matched_on`` is the key that decided.

    Not frozen, as there is one of each pair and a frozen one takes three times as long to make.
    """

    asset: AssetRecord
    configuration: ConfigurationRecord
    matched_on: MatchedOn


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An asset without configuration: to be created. ``warning`` names what looks alike and why it is not."""

    asset: AssetRecord
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An asset that can't be decided and is never written; ``candidates`` are sorted by id."""

    asset: AssetRecord
    candidates: list[ConfigurationRecord]
    reason: str


@dataclass(slots=True)
class MatchResult:
    """The asset lists are sorted by key, ``orphaned`` by id.

    ``orphaned``: configurations whose linked asset is gone and that no other asset took over; always empty
    after a partial read, which proves nothing.
    """

    matched: list[Match] = field(default_factory=list)
    unmatched: list[Unmatched] = field(default_factory=list)
    ambiguous: list[Ambiguous] = field(default_factory=list)
    orphaned: list[ConfigurationRecord] = field(default_factory=list)
