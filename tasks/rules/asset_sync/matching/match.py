"""Which configuration belongs to which asset: at most one each way, and never by a guess.

Keys in order of strength: link (``ls_asset_id`` is the asset's key), serial number, MAC address, name, unless
a person chose otherwise (``keys``); the link is first always. Fillers are no keys. A configuration is
*taken* if its link names an asset of this read or a stronger key gave it away. Agreement in a key between an
asset and a configuration that is not taken is judged so:

    what is found                                                          what becomes of the asset
    ---------------------------------------------------------------------  ---------------------------------
    a person decided on it (``match_decisions``)                           as decided, before all keys
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
    an asset of a type with another order of keys claims it as well        ambiguous
    every configuration with the key is taken or ruled out                 next key
    no key is left and no candidate either                                 unmatched, with the warnings
    its own keys, or those of a configuration that may be its, can't be    ambiguous
    compared, whatever the exception

A link to an asset that a complete read does not show is void: the configuration may be taken over.
Whether a key is on one record only is counted over *all* assets and configurations, linked ones too. A
serial number that differs in case alone, where case counts, neither agrees nor contradicts.

``match`` takes the stored links first, ``by_keys`` one key after the other: all agreements of a key are
judged on the state that the stronger keys left, then its claims are carried out. So no order of input
matters, and two claims of one key can't collide: a claimed value is on one asset and one configuration only.
Where types differ in their order, the first keys of all are judged together, then the second ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter

from tasks.rules.asset_sync.matching import result as words
from tasks.rules.asset_sync.matching.by_keys import KeyMatching, State
from tasks.rules.asset_sync.matching.result import (
    Ambiguous,
    Match,
    MatchOptions,
    MatchResult,
    Unmatched,
)
from tasks.rules.mapping.identifiers import Holders
from tasks.rules.values import AssetRecord, ConfigurationRecord, plain_text


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
        self._decided: dict[int, int] = {}
        self._contested: dict[int, tuple[list[int], str]] = {}
        self._gone: list[int] = []

    def run(self) -> MatchResult:
        keys = [_link_key(asset.key) for asset in self._assets]
        if self._options.decided.links:
            self._decide(keys)
        self._link(keys)
        settled = self._linked.keys() | self._contested.keys() | self._decided.keys()
        ignored = self._options.decided.ignored
        rest = [at for at in range(len(self._assets)) if at not in settled and keys[at] not in ignored]
        records = [_keyless(each) if each.key in ignored else each for each in self._assets]
        matching = KeyMatching(records, self._configurations, self._states, self._options)
        matching.run(rest)
        return self._result(matching, set(rest))

    def _decide(self, keys: Sequence[str]) -> None:
        """Match what a person decided; a decision that can't be honoured makes its asset ambiguous."""
        positions = {each.id: at for at, each in enumerate(self._configurations)}
        read = set(keys)
        for asset, key in enumerate(keys):
            number = self._options.decided.links.get(key)
            if number is None:
                continue
            at = positions.get(number)
            carried = "" if at is None else _link_key(self._configurations[at].asset_key)
            if at is None:
                self._contested[asset] = ([], words.decided_unread(number))
            elif carried and carried != key and carried in read:
                self._contested[asset] = ([at], words.decided_anothers(self._configurations[at]))
            else:
                self._decided[asset] = at
                self._states[at] = State.TAKEN

    def _link(self, keys: Sequence[str]) -> None:
        holders = Holders(plain_text(each.asset_key) for each in self._configurations)
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
        if asset in self._decided or asset in self._contested:
            return
        found, key = [self._configurations[each] for each in held], _link_key(self._assets[asset].key)
        refused = [each for each in found if (key, each.id) in self._options.decided.never]
        if refused:
            self._contested[asset] = (list(held), words.never_linked(refused[0]))
        elif len(held) == 1:
            self._linked[asset] = held[0]
        else:
            self._contested[asset] = (list(held), words.several_linked(found))

    def _release(self, held: Sequence[int]) -> None:
        """The asset was not read: gone if all were, otherwise perhaps only filtered out."""
        if self._options.complete:
            self._gone += held
            return
        for configuration in held:
            if self._states[configuration] != State.TAKEN:
                self._states[configuration] = State.LINKED_UNSEEN

    def _result(self, keys: KeyMatching, judged: Collection[int]) -> MatchResult:
        result = MatchResult()
        for position, asset in enumerate(self._assets):
            if (linked := self._linked.get(position)) is not None:
                result.matched.append(Match(asset, self._configurations[linked], "link"))
            elif (decided := self._decided.get(position)) is not None:
                result.matched.append(self._as_decided(asset, self._configurations[decided]))
            elif (contested := self._contested.get(position)) is not None:
                candidates = [self._configurations[each] for each in contested[0]]
                result.ambiguous.append(Ambiguous(asset, candidates, contested[1]))
            elif position not in judged:
                # Ignored: the plan skips it, since nothing may be written of it.
                result.unmatched.append(Unmatched(asset))
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

    def _as_decided(self, asset: AssetRecord, configuration: ConfigurationRecord) -> Match:
        carries = _link_key(configuration.asset_key) == _link_key(asset.key)
        return Match(asset, configuration, "link" if carries else "decision")


def _keyless(asset: AssetRecord) -> AssetRecord:
    """An ignored asset: no key of it counts, so that others match as if it were not there."""
    return AssetRecord(asset.key, None, None, None, (None,) * len(asset.wanted))
