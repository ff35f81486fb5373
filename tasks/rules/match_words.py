"""Why an asset is ambiguous, and what its creation should be warned of, in words."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from tasks.rules.records import ConfigurationRecord
from tasks.rules.wording import counted

KEY_WORDS = ("serial number", "MAC address", "name")


class Doubt(Enum):
    """What keeps an agreement from deciding."""

    SEVERAL_CONFIGURATIONS = "{assets} and {configurations} have this {key}"
    SEVERAL_ASSETS = "{assets} have this {key}, so it can't say which of them the configuration is"
    POINTS_ELSEWHERE = "a stronger key points to another configuration than the {key} does"
    ANOTHERS = "the configuration with this {key} carries a stronger key of another asset"
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
    return (
        f"{len(configurations)} configurations hold this asset's key: {_named(configurations)}. "
        "Empty ls_asset_id in all but the right one."
    )


def read_twice() -> str:
    """One key, several assets."""
    return "Lansweeper gave this asset key more than once in this read; the other record counts. Run again."


def other_serial(key: int, configuration: ConfigurationRecord) -> str:
    """A weaker key agrees, the serial number differs."""
    return f"{_one(configuration)} has the same {KEY_WORDS[key]} but another {KEY_WORDS[0]}."


def other_mac(key: int, configuration: ConfigurationRecord) -> str:
    """The name agrees, the MAC address differs."""
    return f"{_one(configuration)} has the same {KEY_WORDS[key]} but another {KEY_WORDS[1]}."


RULED_OUT = (other_serial, other_mac)
"""What to say, by the stronger key that differs."""


def taken(key: int, configuration: ConfigurationRecord) -> str:
    """A key agrees with a configuration that belongs to another asset."""
    return f"{_one(configuration)} has the same {KEY_WORDS[key]} but belongs to another asset."


def other_case(key: int, configuration: ConfigurationRecord) -> str:
    """A key that would agree if case did not count."""
    return f"{_one(configuration)} has the same {KEY_WORDS[key]} in another case."


def shared_serial(count: int) -> str:
    """Several assets of the read have one serial number."""
    return f"{count} assets of this read have the same serial number."


def _named(configurations: Sequence[ConfigurationRecord]) -> str:
    return ", ".join(_one(each) for each in configurations)


def _one(configuration: ConfigurationRecord) -> str:
    return f"Configuration {configuration.id} ({(configuration.name or '')[:80]!r})"
