"""Which configuration belongs to which asset: at most one each way, and never by a guess.

Keys in order of strength: link (``ls_asset_id`` is the asset's key), serial number, MAC address, name.
Fillers are no keys. A configuration is *taken* if its link names an asset of this read or a stronger key
gave it away. Agreement in a key between an asset and a configuration that is not taken is judged so:

    what is found                                                          what becomes of the asset
    ---------------------------------------------------------------------  ---------------------------------
    one configuration holds its key in the link field                      matched, whatever else differs
    several hold its key in the link field                                 ambiguous, all of them candidates
    a stronger key is known on both sides and differs                      agreement ignored, with a warning
    it differs, but several assets or several configurations have it       ambiguous: it identifies none
    key on one asset and one configuration, nothing below applies          matched
    key on several assets, or on several configurations                    next key; ambiguous if none decides
    a stronger key already gave undecided candidates, this is none of them ambiguous
    configuration's stronger key, unknown of this asset, is another's      ambiguous
    configuration is linked to an asset that a partial read does not show  ambiguous
    name is only an IP address                                             ambiguous
    every configuration with the key is taken or ruled out                 next key
    no key is left and no candidate either                                 unmatched, with the warnings
    its own keys, or those of a configuration that may be its, can't be    ambiguous
    compared, whatever the exception

A link to an asset that a complete read does not show is void: the configuration may be taken over.
Whether a key is on one record only is counted over *all* assets and configurations, linked ones too. A
serial number that differs in case alone, where case counts, neither agrees nor contradicts.

``match`` takes the stored links first, ``KeyMatching`` one key after the other: all agreements of a key are
judged on the state that the stronger keys left, then its claims are carried out. So no order of input
matters, and two claims of one key can't collide: a claimed value is on one asset and one configuration only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from operator import attrgetter

from tasks.rules.asset_sync import match_result as words
from tasks.rules.asset_sync.match_result import (
    Ambiguous,
    Doubt,
    Match,
    MatchedOn,
    MatchOptions,
    MatchResult,
    Unmatched,
)
from tasks.rules.mapping.identifiers import (
    KEYS,
    NAME,
    SERIAL,
    Holders,
    KeyTable,
    contradiction,
    contradictions,
    is_ip_address,
)
from tasks.rules.values import AssetRecord, ConfigurationRecord, folded, plain_text

_MOST_WARNINGS = 3
"""Sentences a creation carries at most: a common name can be on thousands of configurations."""

_CROWD = 64
"""Holders of one value above which they are sorted by serial number before they are looked at."""

MOST_CANDIDATES = 25
"""Candidates shown at most, lowest ids first."""

_MATCHED_ON: tuple[MatchedOn, ...] = ("serial", "mac", "name")

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

    def run(self, left_over: Iterable[int]) -> None:
        """Judge the assets at these positions; ``verdict`` then gives the result of each."""
        open_assets = list(left_over)
        if not open_assets:
            return
        case_sensitive, fillers = self._options.case_sensitive, self._options.fillers
        self._assets = KeyTable(self._records, case_sensitive, fillers)
        self._configurations = KeyTable(self._targets, case_sensitive, fillers, self._assets)
        self._strangers = {
            each: why
            for each, why in self._configurations.unreadable.items()
            if self._states[each] != State.TAKEN
        }
        for key in KEYS:
            for asset, configuration in self._claims(key, open_assets):
                self._partners[asset] = (configuration, key)
                self._states[configuration] = State.TAKEN
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
            return Match(record, self._targets[configuration], _MATCHED_ON[key])
        for undecided in self._undecided.get(asset, ()):
            if self._left(undecided.candidates):
                return Ambiguous(record, self._all_candidates(asset), self._reason(asset, undecided))
        warnings = list(dict.fromkeys(self._warnings(asset)))
        return Unmatched(record, " ".join(warnings[:_MOST_WARNINGS]) or None)

    def _claims(self, key: int, open_assets: Sequence[int]) -> list[tuple[int, int]]:
        values, holders = self._assets.values[key], self._configurations.holders[key]
        claims = []
        for asset in open_assets:
            value = values[asset]
            if value is not None and value in holders:
                claimed = self._judge(asset, key, value)
                if claimed is not None:
                    claims.append((asset, claimed))
        return claims

    def _judge(self, asset: int, key: int, value: str) -> int | None:
        """The configuration that the key gives to the asset; what does not decide is remembered."""
        holders = self._configurations.holders[key].of(value)
        possible = self._possible(asset, key, value, holders)
        found = (each for each in possible if self._is_candidate(asset, each, key))
        # No key comes after the name, and of several holders none can be claimed by it: a few will do.
        candidates: Sequence[int] = list(islice(found, MOST_CANDIDATES) if key == NAME else found)
        if not candidates:
            return None
        if len(candidates) == len(holders):
            candidates = holders
        doubt = self._doubt(asset, candidates[0], key, value, len(holders))
        if doubt is None:
            return candidates[0]
        self._undecided.setdefault(asset, []).append(_Undecided(key, candidates, doubt))
        return None

    def _possible(self, asset: int, key: int, value: str, holders: Sequence[int]) -> Sequence[int]:
        """The holders without those that another serial number rules out, where there are many."""
        serial = self._assets.values[SERIAL][asset]
        if key == SERIAL or serial is None or len(holders) <= _CROWD or self._assets.is_shared(SERIAL, asset):
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
        if key != SERIAL:
            for stronger in contradictions(self._assets, asset, self._configurations, configuration, key):
                if not self._is_shared(asset, configuration, stronger):
                    self._note(asset, words.RULED_OUT[stronger], key, configuration)
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
        if key != SERIAL and self._points_elsewhere(asset, candidate):
            return Doubt.POINTS_ELSEWHERE
        if contradiction(self._assets, asset, self._configurations, candidate, key) is not None:
            return Doubt.SHARED_DIFFERS
        return Doubt.ANOTHERS if key != SERIAL and self._is_anothers(asset, candidate, key) else None

    def _points_elsewhere(self, asset: int, candidate: int) -> bool:
        """Whether a stronger key has candidates left and this is none of them."""
        return any(
            candidate not in undecided.candidates and self._left(undecided.candidates)
            for undecided in self._undecided.get(asset, ())
        )

    def _is_anothers(self, asset: int, candidate: int, key: int) -> bool:
        """Whether a stronger key of the configuration, unknown of this asset, is on another asset."""
        for stronger in range(key):
            theirs = self._configurations.values[stronger][candidate]
            if theirs is None or theirs == self._assets.values[stronger][asset]:
                continue
            for other in self._assets.holders[stronger].of(theirs):
                if contradiction(self._assets, other, self._configurations, candidate, stronger) is None:
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
        serial = self._assets.values[SERIAL][asset]
        if serial is not None and (count := len(self._assets.holders[SERIAL].of(serial))) > 1:
            yield words.shared_serial(count)
        for undecided in self._undecided.get(asset, ()):
            for each in undecided.candidates[:_MOST_WARNINGS]:
                yield words.taken(undecided.key, self._targets[each])
        for say, key, configuration in self._notes.get(asset, ()):
            yield say(key, self._targets[configuration])

    def _note_other_case(self, open_assets: Iterable[int]) -> None:
        """Warn of what would agree if case did not count; the setting says that it does."""
        for key in (SERIAL, NAME):
            holders = Holders(value and folded(value) for value in self._configurations.values[key])
            for asset in open_assets:
                value = self._assets.values[key][asset]
                if value is not None and value not in self._configurations.holders[key]:
                    for each in holders.of(folded(value))[:_CROWD]:
                        self._note_if_other_case(asset, each, key)

    def _note_if_other_case(self, asset: int, configuration: int, key: int) -> None:
        if self._states[configuration] == State.TAKEN:
            return
        if contradiction(self._assets, asset, self._configurations, configuration, key) is None:
            self._note(asset, words.other_case, key, configuration)


def match(
    assets: Iterable[AssetRecord],
    configurations: Iterable[ConfigurationRecord],
    options: MatchOptions | None = None,
) -> MatchResult:
    """Every asset in exactly one list, every configuration matched at most once; lists sorted by key or id.

    ``configurations`` are all of the run's company, inactive ones included, and no other company's. An asset
    key that was read twice (a page moved while it was read) counts once; its further records are ambiguous
    without candidates. A configuration id that was read twice counts once.
    """
    counted, repeated = _by_key(assets)
    result = _Matching(counted, _by_id(configurations), options or MatchOptions()).run()
    result.ambiguous += [Ambiguous(asset, [], words.read_twice()) for asset in repeated]
    result.ambiguous.sort(key=lambda each: each.asset.key)
    return result


def _by_key(assets: Iterable[AssetRecord]) -> tuple[list[AssetRecord], list[AssetRecord]]:
    """The assets sorted by key, and apart from them the further records of a key; no key never repeats."""
    ordered = sorted(assets, key=attrgetter("key"))
    if len({_link_key(asset.key) for asset in ordered}) == len(ordered):
        return ordered, []
    counted: list[AssetRecord] = []
    repeated: list[AssetRecord] = []
    seen: set[str] = set()
    for asset in sorted(ordered, key=lambda each: (each.key, _shown(each))):
        key = _link_key(asset.key)
        (repeated if key in seen else counted).append(asset)
        if key:
            seen.add(key)
    return counted, repeated


def _by_id(configurations: Iterable[ConfigurationRecord]) -> list[ConfigurationRecord]:
    ordered = sorted(configurations, key=attrgetter("id"))
    if len({each.id for each in ordered}) == len(ordered):
        return ordered
    ordered.sort(key=lambda each: (each.id, _shown(each)), reverse=True)
    return sorted({each.id: each for each in ordered}.values(), key=lambda each: each.id)


def _shown(record: AssetRecord | ConfigurationRecord) -> str:
    """Tells two records of one key apart, whatever the order of input; a value may have no text."""
    try:
        return repr(record)
    except Exception:
        return ""


def _link_key(key: str | None) -> str:
    """An asset key as it links: without outer blanks and invisible marks; empty text never links."""
    return plain_text(key) or ""


class _Matching:
    """One match: links first, then what the keys decide. Records are known by their position."""

    def __init__(
        self, assets: list[AssetRecord], configurations: list[ConfigurationRecord], options: MatchOptions
    ) -> None:
        self._assets, self._configurations, self._options = assets, configurations, options
        self._states = bytearray(len(configurations))
        self._linked: dict[int, int] = {}
        self._contested: dict[int, list[int]] = {}
        self._gone: list[int] = []

    def run(self) -> MatchResult:
        self._link()
        decided = self._linked.keys() | self._contested.keys()
        rest = [position for position in range(len(self._assets)) if position not in decided]
        keys = KeyMatching(self._assets, self._configurations, self._states, self._options)
        keys.run(rest)
        return self._result(keys)

    def _link(self) -> None:
        holders = Holders(plain_text(each.asset_key) for each in self._configurations)
        keys = [_link_key(asset.key) for asset in self._assets]
        for position, key in enumerate(keys):
            if key in holders:
                self._assign(position, holders.of(key))
        seen = set(keys)
        for key in holders:
            if key not in seen:
                self._release(holders.of(key))

    def _assign(self, asset: int, held: Sequence[int]) -> None:
        for configuration in held:
            self._states[configuration] = State.TAKEN
        if len(held) == 1:
            self._linked[asset] = held[0]
        else:
            self._contested[asset] = list(held)

    def _release(self, held: Sequence[int]) -> None:
        """The asset was not read: gone if all were, otherwise perhaps only filtered out."""
        if self._options.complete:
            self._gone += held
            return
        for configuration in held:
            self._states[configuration] = State.LINKED_UNSEEN

    def _result(self, keys: KeyMatching) -> MatchResult:
        result = MatchResult()
        for position, asset in enumerate(self._assets):
            if (linked := self._linked.get(position)) is not None:
                result.matched.append(Match(asset, self._configurations[linked], "link"))
            elif (held := self._contested.get(position)) is not None:
                candidates = [self._configurations[each] for each in held]
                result.ambiguous.append(Ambiguous(asset, candidates, words.several_linked(candidates)))
            else:
                match keys.verdict(position):
                    case Match() as verdict:
                        result.matched.append(verdict)
                    case Ambiguous() as verdict:
                        result.ambiguous.append(verdict)
                    case Unmatched() as verdict:
                        result.unmatched.append(verdict)
        gone = [each for each in self._gone if self._states[each] != State.TAKEN]
        result.orphaned = [self._configurations[each] for each in sorted(gone)]
        return result
