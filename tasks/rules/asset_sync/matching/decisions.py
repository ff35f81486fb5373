"""Decisions of people on matches: what matching makes of them, what one writes, and all of that in words.

    decision   what asset-synchronization does
    ---------  ---------------------------------------------------------------------------------------
    link       matches this asset with that configuration before all keys, whatever else carries them
    never      never matches these two; other keys and configurations decide as before
    ignore     writes nothing of this asset, and counts it in no key: others match as if it were not there

A decision that can't be honoured (its configuration was not read, or carries the key of another asset of the
reading) makes its asset ambiguous; nothing else is tried in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.ledger.models import MatchDecision
from tasks.rules.text import AddressOf, bullets, cell, document, escape, escaped_list, linked, section
from tasks.rules.values import ConfigurationRecord


class Decision(StrEnum):
    """What a person decides about an asset and a configuration."""

    LINK = "link"
    UNLINK = "unlink"
    NEVER = "never"
    IGNORE = "ignore"
    WITHDRAW = "withdraw"


OF_A_PAIR = frozenset({Decision.LINK, Decision.UNLINK, Decision.NEVER})
KEPT = frozenset({Decision.LINK, Decision.NEVER, Decision.IGNORE})
"""Decisions that stay until they are withdrawn."""


@dataclass(frozen=True)
class Decided:
    """The decisions that stand in a company.

    ``links``: asset key -> configuration id; ``never``: pairs of both; ``ignored``: keys of assets.
    """

    links: Mapping[str, int] = field(default_factory=dict)
    never: frozenset[tuple[str, int]] = frozenset()
    ignored: frozenset[str] = frozenset()

    def held(self) -> dict[str, str]:
        """Why nothing is written of an ignored asset, by its key."""
        why = "Left alone: a person decided to ignore this asset; withdraw that with link-configuration."
        return dict.fromkeys(self.ignored, why)


def decided_of(decisions: Iterable[MatchDecision]) -> Decided:
    """The decisions as matching takes them."""
    rows = list(decisions)
    return Decided(
        {each.asset_key: each.configuration_id for each in rows if each.kind == Decision.LINK},
        frozenset((each.asset_key, each.configuration_id) for each in rows if each.kind == Decision.NEVER),
        frozenset(each.asset_key for each in rows if each.kind == Decision.IGNORE),
    )


@dataclass(frozen=True)
class LinkWrite:
    """One change of a configuration's link field; empty text takes the link away."""

    configuration: ConfigurationRecord
    asset_key: str


@dataclass(frozen=True)
class DecisionPlan:
    """What a decision writes to ConnectWise, and why it is refused, if it is."""

    writes: Sequence[LinkWrite] = ()
    problems: Sequence[str] = ()


def plan_decision(
    decision: Decision,
    asset_key: str,
    configuration: ConfigurationRecord | None,
    holders: Sequence[ConfigurationRecord],
    *,
    move: bool,
) -> DecisionPlan:
    """What the decision writes.

    Args:
        configuration: the chosen one; None where the decision is about an asset alone.
        holders: the company's configurations that carry the asset's key now.
        move: whether a link to another asset, or another configuration's link to this one, is taken away.
    """
    if decision is Decision.LINK and configuration is not None:
        return _plan_link(asset_key, configuration, holders, move)
    own = [each for each in holders if configuration is not None and each.id == configuration.id]
    if decision is Decision.UNLINK and configuration is not None and not own:
        carried = f"carries {configuration.asset_key}" if configuration.asset_key else "is linked to no asset"
        return DecisionPlan(problems=[f"Configuration {configuration.id} {carried}, not {asset_key}."])
    if decision in (Decision.UNLINK, Decision.NEVER):
        return DecisionPlan([LinkWrite(each, "") for each in own])
    return DecisionPlan()


def _plan_link(
    asset_key: str,
    configuration: ConfigurationRecord,
    holders: Sequence[ConfigurationRecord],
    move: bool,
) -> DecisionPlan:
    writes = [] if configuration.asset_key == asset_key else [LinkWrite(configuration, asset_key)]
    others = [each for each in holders if each.id != configuration.id]
    problems = []
    if configuration.asset_key and configuration.asset_key != asset_key and not move:
        problems.append(
            f"Configuration {configuration.id} is linked to another asset, {configuration.asset_key}. "
            "If it is this asset's, set Move the link."
        )
    if others and not move:
        named = ", ".join(str(each.id) for each in others[:5])
        problems.append(
            f"Asset {asset_key} is linked to configuration {named}. If that is wrong, set Move the link: "
            "it is emptied there."
        )
    # The wrong links first: a run that is killed in between leaves an asset without a link, never with two.
    return DecisionPlan([*(LinkWrite(each, "") for each in others), *writes], problems)


_WORDS = {
    Decision.LINK: "{asset} is {configuration}.",
    Decision.UNLINK: "{asset} is no longer linked to {configuration}; keys decide again.",
    Decision.NEVER: "{asset} is never {configuration}.",
    Decision.IGNORE: "Nothing is written of {asset}.",
    Decision.WITHDRAW: "What was decided on {asset} no longer holds.",
}


def decision_markdown(
    decision: Decision,
    plan: DecisionPlan,
    *,
    asset: str,
    configuration: int | None,
    configuration_name: str,
    standing: Sequence[MatchDecision],
    dry_run: bool,
    failed: Sequence[str],
    run_id: str,
    link: AddressOf,
) -> str:
    """What is decided, what is written, and what was decided on the asset before."""
    chosen = linked(f"{configuration_name} ({configuration})", link(configuration)) if configuration else ""
    writes = [_write_line(each, link) for each in plan.writes]
    before = [_standing_line(each, link) for each in standing]
    verdict = "**Dry run: nothing is kept or written.**" if dry_run else ""
    return document(
        f"# Decision: {escape(decision.value)}",
        verdict,
        _WORDS[decision].format(asset=escape(asset), configuration=chosen),
        section("Failures", escaped_list(failed)),
        section("Written to ConnectWise", bullets(writes, len(writes), len(writes))),
        section("Decided before on this asset", bullets(before, len(before), len(before))),
        f"- Run id, for undo-run: `{escape(run_id)}`" if run_id and plan.writes else "",
    )


def _write_line(write: LinkWrite, link: AddressOf) -> str:
    record = write.configuration
    shown = linked(f"{record.name or ''} ({record.id})", link(record.id))
    return f"{shown}: ls\\_asset\\_id {cell(record.asset_key)} → {cell(write.asset_key)}"


def _standing_line(each: MatchDecision, link: AddressOf) -> str:
    number = each.configuration_id
    shown = f" {linked(f'{each.configuration_name} ({number})', link(number))}" if number else ""
    when = f", {each.decided_at:%Y-%m-%d %H:%M} UTC" if each.decided_at else ""
    return f"{escape(each.kind)}{shown}{when}"


def decision_row(company: int, each: MatchDecision, link: AddressOf) -> dict[str, str]:
    """One line of the table of all decisions."""
    number = each.configuration_id
    configuration = linked(f"{each.configuration_name} ({number})", link(number)) if number else ""
    return {
        "Decision": each.kind,
        "Asset": cell(each.asset_name or each.asset_key),
        "Configuration": configuration,
        "Since": f"{each.decided_at:%Y-%m-%d %H:%M} UTC" if each.decided_at else "",
        "Company": str(company),
        "Asset key": cell(each.asset_key),
        "Run": cell(each.run_id),
    }
