"""What the keys decide of the assets that no stored link joins: one key after the other, the strongest first.

The table of what becomes of an asset is in ``match``; ``keys`` says which keys count, in which order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from tasks.rules.asset_sync.matching import result as words
from tasks.rules.asset_sync.matching.keys import MATCHED_ON, KeyOrder
from tasks.rules.asset_sync.matching.result import (
    Ambiguous,
    Doubt,
    Match,
    MatchOptions,
    Unmatched,
)
from tasks.rules.mapping.identifiers import (
    DEVICE_IDENTIFIER,
    NAME,
    SERIAL,
    TAG_NUMBER,
    Holders,
    KeyTable,
    contradiction,
    contradictions,
    is_ip_address,
)
from tasks.rules.values import AssetRecord, ConfigurationRecord, folded

_MOST_WARNINGS = 3
"""Sentences a creation carries at most: a common name can be on thousands of configurations."""

_CROWD = 64
"""Holders of one value above which they are sorted by serial number before they are looked at."""

MOST_CANDIDATES = 25
"""Candidates shown at most, lowest ids first."""

Words = Callable[[int, ConfigurationRecord], str]


class State(IntEnum):
    """Whether a configuration may still be given to an asset."""

    FREE = 0
    TAKEN = 1
    LINKED_UNSEEN = 2


@dataclass(slots=True)
class _Undecided:
    """An agreement in one key that could not decide, and why."""

    key: int
    candidates: Sequence[int]
    doubt: Doubt


class KeyMatching:
    """Judges the assets left over; ``states`` is one ``State`` a configuration and is kept up to date."""

    def __init__(
        self,
        assets: Sequence[AssetRecord],
        configurations: Sequence[ConfigurationRecord],
        states: bytearray,
        options: MatchOptions,
    ) -> None:
        self._records, self._targets = assets, configurations
        self._states, self._options = states, options
        self._partners: dict[int, tuple[int, int]] = {}
        self._undecided: dict[int, list[_Undecided]] = {}
        self._crowds: dict[tuple[int, str], dict[str | None, list[int]]] = {}
        self._notes: dict[int, list[tuple[Words, int, int]]] = {}
        self._strangers: dict[int, str] = {}
        self._orders, self._never = options.orders, options.decided.never
        self._order_of: dict[int, KeyOrder] = {}

    def run(self, left_over: Iterable[int]) -> None:
        """Judge the assets at these positions; ``verdict`` then gives the result of each."""
        open_assets = list(left_over)
        if not open_assets:
            return
        case_sensitive, fillers = self._options.case_sensitive, self._options.fillers
        used, positions = self._orders.used, self._orders.positions.items()
        wanted = {key: [each.wanted[at] for each in self._records] for key, at in positions if key in used}
        current = {key: [each.current[at] for each in self._targets] for key, at in positions if key in used}
        self._assets = KeyTable(self._records, case_sensitive, fillers, None, used, wanted)
        self._configurations = KeyTable(self._targets, case_sensitive, fillers, self._assets, used, current)
        self._strangers = {
            each: why
            for each, why in self._configurations.unreadable.items()
            if self._states[each] != State.TAKEN
        }
        groups = self._orders.grouped(self._records, open_assets)
        self._order_of = {asset: order for order, assets in groups.items() for asset in assets}
        for rank in range(max(len(order.keys) for order in groups)):
            self._carry_out(
                [
                    claim
                    for order, assets in groups.items()
                    if rank < len(order.keys)
                    for claim in self._claims(order.keys[rank], assets)
                ]
            )
            groups = {
                order: [asset for asset in assets if asset not in self._partners]
                for order, assets in groups.items()
            }
        open_assets = [asset for asset in open_assets if asset not in self._partners]
        if self._options.case_sensitive and self._targets:
            self._note_other_case(open_assets)

    def verdict(self, asset: int) -> Match | Ambiguous | Unmatched:
        """Where one of the judged assets belongs."""
        record = self._records[asset]
        if (why := self._assets.unreadable.get(asset)) is not None:
            return Ambiguous(record, [], words.unreadable_asset(why))
        if self._strangers:
            # It may be any asset's, so none is created or linked beside it.
            strangers = [self._targets[each] for each in sorted(self._strangers)[:MOST_CANDIDATES]]
            return Ambiguous(
                record,
                strangers,
                words.unreadable_configuration(strangers[0].id, min(self._strangers.items())[1]),
            )
        if asset in self._partners:
            configuration, key = self._partners[asset]
            return Match(record, self._targets[configuration], MATCHED_ON[key])
        for undecided in self._undecided.get(asset, ()):
            if self._left(undecided.candidates):
                return Ambiguous(record, self._all_candidates(asset), self._reason(asset, undecided))
        warnings = list(dict.fromkeys(self._warnings(asset)))
        return Unmatched(record, " ".join(warnings[:_MOST_WARNINGS]) or None)

    def _carry_out(self, claims: Sequence[tuple[int, int, int]]) -> None:
        """Give each claimed configuration away; two orders of keys may claim one by different keys."""
        claimants = Counter(configuration for _, configuration, _ in claims)
        for asset, configuration, key in claims:
            if claimants[configuration] > 1:
                self._doubted(asset, key, [configuration], Doubt.ANOTHER_CLAIMS)
                continue
            self._partners[asset] = (configuration, key)
            self._states[configuration] = State.TAKEN

    def _doubted(self, asset: int, key: int, candidates: Sequence[int], doubt: Doubt) -> None:
        self._undecided.setdefault(asset, []).append(_Undecided(key, candidates, doubt))

    def _claims(self, key: int, open_assets: Sequence[int]) -> list[tuple[int, int, int]]:
        """Each asset that the key gives a configuration: asset, configuration, key."""
        values, holders = self._assets.values[key], self._configurations.holders[key]
        claims = []
        for asset in open_assets:
            value = values[asset]
            if value is not None and value in holders:
                claimed = self._judge(asset, key, value)
                if claimed is not None:
                    claims.append((asset, claimed, key))
        return claims

    def _judge(self, asset: int, key: int, value: str) -> int | None:
        """The configuration that the key gives to the asset; what does not decide is remembered."""
        holders = self._configurations.holders[key].of(value)
        possible = self._possible(asset, key, value, holders)
        found = (each for each in possible if self._is_candidate(asset, each, key))
        # No key comes after the last, and of several holders none can be claimed by it: a few will do.
        is_last = not self._orders.by_type and key == self._orders.usual.keys[-1]
        candidates: Sequence[int] = list(islice(found, MOST_CANDIDATES) if is_last else found)
        if not candidates:
            return None
        if len(candidates) == len(holders):
            candidates = holders
        doubt = self._doubt(asset, candidates[0], key, value, len(holders))
        if doubt is None:
            return candidates[0]
        self._doubted(asset, key, candidates, doubt)
        return None

    def _above(self, asset: int, key: int) -> tuple[int, ...]:
        """The keys that are stronger than this one, of the asset's order."""
        return self._order_of[asset].above[key]

    def _possible(self, asset: int, key: int, value: str, holders: Sequence[int]) -> Sequence[int]:
        """The holders without those that another serial number rules out, where there are many."""
        if len(holders) <= _CROWD or SERIAL not in self._above(asset, key):
            return holders
        serial = self._assets.values[SERIAL][asset]
        if serial is None or self._assets.is_shared(SERIAL, asset):
            return holders
        if (key, value) not in self._crowds:
            crowd = self._crowds[key, value] = {}
            for each in holders:
                theirs = self._configurations.values[SERIAL][each]
                known = None if self._configurations.is_shared(SERIAL, each) else theirs
                crowd.setdefault(known and folded(known), []).append(each)
        for each in holders[:_MOST_WARNINGS]:
            self._is_candidate(asset, each, key)
        crowd = self._crowds[key, value]
        return sorted(crowd.get(None, []) + crowd.get(folded(serial), []))

    def _is_candidate(self, asset: int, configuration: int, key: int) -> bool:
        if self._states[configuration] == State.TAKEN:
            self._note(asset, words.taken, key, configuration)
            return False
        if self._never and (self._records[asset].key, self._targets[configuration].id) in self._never:
            self._note(asset, words.never_together, key, configuration)
            return False
        above = self._above(asset, key)
        for stronger in contradictions(self._assets, asset, self._configurations, configuration, above):
            if not self._is_shared(asset, configuration, stronger):
                self._note(asset, words.ruled_out(stronger), key, configuration)
                return False
        return True

    def _is_shared(self, asset: int, configuration: int, key: int) -> bool:
        """Whether a key that differs is on several records of a side, as a filler that nobody listed is."""
        return self._assets.is_shared(key, asset) or self._configurations.is_shared(key, configuration)

    def _doubt(self, asset: int, candidate: int, key: int, value: str, holders: int) -> Doubt | None:
        if holders > 1:
            return Doubt.SEVERAL_CONFIGURATIONS
        if len(self._assets.holders[key].of(value)) > 1:
            return Doubt.SEVERAL_ASSETS
        if self._states[candidate] == State.LINKED_UNSEEN:
            return Doubt.LINKED_UNSEEN
        if key == NAME and is_ip_address(value):
            return Doubt.IP_ADDRESS
        if self._points_elsewhere(asset, candidate):
            return Doubt.POINTS_ELSEWHERE
        above = self._above(asset, key)
        if contradiction(self._assets, asset, self._configurations, candidate, above) is not None:
            return Doubt.SHARED_DIFFERS
        return Doubt.ANOTHERS if self._is_anothers(asset, candidate, above) else None

    def _points_elsewhere(self, asset: int, candidate: int) -> bool:
        """Whether a stronger key has candidates left and this is none of them."""
        return any(
            candidate not in undecided.candidates and self._left(undecided.candidates)
            for undecided in self._undecided.get(asset, ())
        )

    def _is_anothers(self, asset: int, candidate: int, above: Sequence[int]) -> bool:
        """Whether a stronger key of the configuration, unknown of this asset, is on another asset."""
        for at, stronger in enumerate(above):
            theirs = self._configurations.values[stronger][candidate]
            if theirs is None or theirs == self._assets.values[stronger][asset]:
                continue
            for other in self._assets.holders[stronger].of(theirs):
                if contradiction(self._assets, other, self._configurations, candidate, above[:at]) is None:
                    return True
        return False

    def _left(self, candidates: Iterable[int]) -> list[int]:
        return [each for each in candidates if self._states[each] != State.TAKEN]

    def _all_candidates(self, asset: int) -> list[ConfigurationRecord]:
        found = {each for undecided in self._undecided[asset] for each in self._left(undecided.candidates)}
        return [self._targets[each] for each in sorted(found)[:MOST_CANDIDATES]]

    def _reason(self, asset: int, undecided: _Undecided) -> str:
        key, value = undecided.key, self._assets.values[undecided.key][asset] or ""
        counts = [len(side.holders[key].of(value)) for side in (self._assets, self._configurations)]
        return words.doubt_reason(undecided.doubt, key, value, *counts)

    def _note(self, asset: int, words: Words, key: int, configuration: int) -> None:
        notes = self._notes.setdefault(asset, [])
        if len(notes) < _MOST_WARNINGS:
            notes.append((words, key, configuration))

    def _warnings(self, asset: int) -> Iterable[str]:
        serial = self._assets.values[SERIAL][asset] if SERIAL in self._order_of[asset].keys else None
        if serial is not None and (count := len(self._assets.holders[SERIAL].of(serial))) > 1:
            yield words.shared_serial(count)
        for undecided in self._undecided.get(asset, ()):
            for each in undecided.candidates[:_MOST_WARNINGS]:
                yield words.taken(undecided.key, self._targets[each])
        for say, key, configuration in self._notes.get(asset, ()):
            yield say(key, self._targets[configuration])

    def _note_other_case(self, open_assets: Iterable[int]) -> None:
        """Warn of what would agree if case did not count; the setting says that it does."""
        for key in (SERIAL, NAME, DEVICE_IDENTIFIER, TAG_NUMBER):
            if key not in self._configurations.values:
                continue
            holders = Holders(value and folded(value) for value in self._configurations.values[key])
            for asset in open_assets:
                value = self._assets.values[key][asset] if key in self._order_of[asset].above else None
                if value is not None and value not in self._configurations.holders[key]:
                    for each in holders.of(folded(value))[:_CROWD]:
                        self._note_if_other_case(asset, each, key)

    def _note_if_other_case(self, asset: int, configuration: int, key: int) -> None:
        if self._states[configuration] == State.TAKEN:
            return
        above = self._above(asset, key)
        if contradiction(self._assets, asset, self._configurations, configuration, above) is None:
            self._note(asset, words.other_case, key, configuration)
