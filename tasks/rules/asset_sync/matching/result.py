"""The answer of matching: matched, unmatched and ambiguous assets, and orphaned configurations.

With the reasons and warnings in words, and the answer of the action Match Configurations, ready for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.matching.decisions import Decided
from tasks.rules.asset_sync.matching.keys import KeyOrders, MatchedOn
from tasks.rules.isolation import convert_all, problem_words
from tasks.rules.mapping.comparison import is_absent, same
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.mapping.fillers import FILLERS, Fillers
from tasks.rules.mapping.targets import ValueKind
from tasks.rules.text import counted
from tasks.rules.values import AssetRecord, ConfigurationRecord

_TYPE = "type.name"
TYPE_CALL = "PATCH /company/configurations/{id}/changeType"
"""The call that changes a configuration's type."""

KEY_WORDS = ("serial number", "MAC address", "name", "device identifier", "tag number")


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """``case_sensitive`` governs every key but the MAC address; ``fillers`` are no keys.

    ``orders`` say which keys are used, and which is the stronger; ``decided`` is what people decided.

    ``complete``: the whole site was read without a filter, so a linked key that is not there is gone.
    """

    case_sensitive: bool = True
    complete: bool = False
    fillers: Fillers = FILLERS
    orders: KeyOrders = field(default_factory=KeyOrders)
    decided: Decided = field(default_factory=Decided)


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


def only_assets(result: MatchResult, keys: Collection[str]) -> MatchResult:
    """The same for these assets alone; nothing is said of configurations whose asset is gone."""
    return MatchResult(
        [each for each in result.matched if each.asset.key in keys],
        [each for each in result.unmatched if each.asset.key in keys],
        [each for each in result.ambiguous if each.asset.key in keys],
    )


class Doubt(Enum):
    """What keeps an agreement from deciding."""

    SEVERAL_CONFIGURATIONS = "{assets} and {configurations} have this {key}"
    SEVERAL_ASSETS = "{assets} have this {key}, so it can't say which of them the configuration is"
    POINTS_ELSEWHERE = "a stronger key points to another configuration than the {key} does"
    SHARED_DIFFERS = (
        "the configuration with this {key} differs in a stronger key, which several assets or "
        "configurations have"
    )
    ANOTHERS = "the configuration with this {key} carries a stronger key of another asset"
    ANOTHER_CLAIMS = (
        "the configuration with this {key} is also what another asset, whose type has another order of keys, "
        "would be matched with"
    )
    LINKED_UNSEEN = (
        "the configuration with this {key} is linked to an asset that this partial read does not show"
    )
    IP_ADDRESS = "the name is only an IP address, which passes from device to device"


def doubt_reason(doubt: Doubt, key: int, value: str, assets: int, configurations: int) -> str:
    """One sentence: what was found, and the remedy that always works."""
    text = doubt.value.format(
        key=KEY_WORDS[key],
        assets=counted(assets, "asset"),
        configurations=counted(configurations, "configuration"),
    )
    return (
        f"{text[0].upper()}{text[1:]} ({value[:80]!r}). Enter the asset key in the right one's ls_asset_id."
    )


def several_linked(configurations: Sequence[ConfigurationRecord]) -> str:
    """One asset's key in the link field of several configurations."""
    named = ", ".join(_one(each) for each in configurations)
    return (
        f"{len(configurations)} configurations hold this asset's key: {named}. "
        "Empty ls_asset_id in all but the right one."
    )


def decided_unread(number: int) -> str:
    """A person's decision names a configuration that this reading does not have."""
    return (
        f"A person decided that it is configuration {number}, which was not read: it is gone or of another "
        "company. Withdraw the decision with link-configuration, or link another one."
    )


def decided_anothers(configuration: ConfigurationRecord) -> str:
    """A person's decision names a configuration that carries the key of another asset of this reading."""
    return (
        f"A person decided that it is {_one(configuration)}, which carries the key of another asset now, "
        f"{configuration.asset_key}. Decide anew with link-configuration."
    )


def never_linked(configuration: ConfigurationRecord) -> str:
    """The link field joins what a person decided never to match."""
    return (
        f"{_one(configuration)} carries this asset's key, but a person decided that they never match. "
        "Empty its ls_asset_id, or withdraw the decision with link-configuration."
    )


def never_together(key: int, configuration: ConfigurationRecord) -> str:
    """A key agrees with a configuration that a person excluded."""
    same = f"{_one(configuration)} has the same {KEY_WORDS[key]}"
    return f"{same}, but a person decided that they never match."


def unreadable_asset(why: str) -> str:
    """An asset whose serial number, MAC address or name can't be brought into the form that compares."""
    return f"Its keys can't be compared: {why}. Mend it in Lansweeper, or enter its key in ls_asset_id."


def unreadable_configuration(number: int, why: str) -> str:
    """The same of a configuration, which may be this asset's."""
    return f"The keys of configuration {number} can't be compared, so it may be this asset's: {why}. Mend it."


def read_twice() -> str:
    """One key, several assets."""
    return "Lansweeper gave this asset key more than once in this read; the other record counts. Run again."


def ruled_out(stronger: int) -> Callable[[int, ConfigurationRecord], str]:
    """What to say of a configuration that this stronger key rules out, though a weaker one agrees."""
    return partial(_other_value, stronger)


def _other_value(stronger: int, key: int, configuration: ConfigurationRecord) -> str:
    return f"{_one(configuration)} has the same {KEY_WORDS[key]} but another {KEY_WORDS[stronger]}."


def taken(key: int, configuration: ConfigurationRecord) -> str:
    """A key agrees with a configuration that belongs to another asset."""
    return f"{_one(configuration)} has the same {KEY_WORDS[key]} but belongs to another asset."


def other_case(key: int, configuration: ConfigurationRecord) -> str:
    """A key that would agree if case did not count."""
    return f"{_one(configuration)} has the same {KEY_WORDS[key]} in another case."


def shared_serial(count: int) -> str:
    """Several assets of the read have one serial number."""
    return f"{count} assets of this read have the same serial number."


def _one(configuration: ConfigurationRecord) -> str:
    return f"Configuration {configuration.id} ({str(configuration.name or '')[:80]!r})"


def match_answer(
    result: MatchResult, mapping: CompiledMapping, objects: Mapping[int, dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """``objects`` holds what the person gave, by the identity of the record that was read from it."""

    def given(asset: AssetRecord) -> dict[str, Any]:
        return objects[id(asset)]

    def compared(each: Match) -> dict[str, Any]:
        return {
            "asset": given(each.asset),
            "configuration": _configuration(each.configuration),
            "matchedOn": each.matched_on,
            "unmatchedFields": [
                {"field": change.field, "current": change.current, "wanted": change.wanted}
                for change in differences(each.asset, each.configuration, mapping)
                if change.field != _TYPE
            ]
            + _type_difference(each, mapping),
        }

    incomparable: list[Ambiguous] = []

    def failed(each: Match, error: Exception) -> None:
        why = f"Its fields can't be compared: {problem_words(error)}."
        incomparable.append(Ambiguous(each.asset, [each.configuration], why))

    return {
        "matched": convert_all(result.matched, compared, failed),
        "unmatched": [
            {"asset": given(each.asset)} | ({"warning": each.warning} if each.warning else {})
            for each in result.unmatched
        ],
        "ambiguous": [
            {
                "asset": given(each.asset),
                "candidates": [_configuration(record) for record in each.candidates],
                "reason": each.reason,
            }
            for each in (*result.ambiguous, *incomparable)
        ],
    }


def _type_difference(pair: Match, mapping: CompiledMapping) -> list[dict[str, Any]]:
    """Another type, marked: ConnectWise changes a type by a call of its own, never with other fields."""
    at = mapping.position(_TYPE)
    if at is None:
        return []
    current, wanted = pair.configuration.current[at], pair.asset.wanted[at]
    if is_absent(wanted) or same(ValueKind.REFERENCE, current, wanted):
        return []
    return [{"field": _TYPE, "current": current, "wanted": wanted, "ownCall": TYPE_CALL}]


def _configuration(record: ConfigurationRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "serialNumber": record.serial,
        "macAddress": record.mac,
        "activeFlag": record.active,
        "customFields": {"ls_asset_id": record.asset_key},
    }
