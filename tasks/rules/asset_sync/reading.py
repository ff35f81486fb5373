"""What a run of asset-synchronization has read, held against what is known of the company from before.

- ``amount_findings``: fewer configurations, links or assets than last time; links that are gone.
- ``incomplete``: what paging gave against the vendor's own count; ``unreadable_keys``: likewise the keys.
- ``links_to_look_up`` and ``judge_links``: an asset whose key is known to be a configuration's is never
  created. Where that configuration was not read, it is read by its id, and its place decides.
- ``links_to_keep``: what of the links is new, changed or void after the run.

First load means that nothing knows a link: neither the ledger, nor the reading, nor the tenant elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.matching.result import MatchResult
from tasks.rules.guards import (
    Amount,
    GuardFinding,
    ShrinkLimit,
    acceptable,
    accepted,
    how_to_accept,
    shrink_findings,
)
from tasks.rules.text import counted
from tasks.rules.values import AssetRecord, ConfigurationRecord

CONFIGURATIONS, LINKED, ASSETS, RECREATED = "configurations", "linked", "assets", "recreated"
CUSTOM_VALUES, REFERENCES, MET, IDENTIFIED = "custom_values", "references", "met", "identified"
OTHER_TENANT = "other_tenant"
RUN_AGAIN = "Run again; if it stays so and is right"
"""When to accept a reading that the vendor's own count contradicts."""
"""Names of the amounts, in the ledger as in Accept once."""
FEWER_BY_PEOPLE = (CONFIGURATIONS, LINKED, MET)
"""The amounts that an undo or a decision of a person makes smaller, so that a later reading is not held
against them."""
WHOLE = ""
"""The scope of a company's configurations: they are always read whole."""
MOST_MISSING = ShrinkLimit(share=0.05)
"""Assets that may vanish between the pages of a site; more is read again, and refused if it stays so."""
_EXAMPLES = 5


class AcceptOnce(BaseModel):
    """Numbers of one refused reading that a person has looked at and found right, for one run.

    Each covers what is read now if it is no worse, in one real run: left in place it lets nothing pass again.
    """

    model_config = ConfigDict(extra="forbid")

    configurations: int | None = Field(
        default=None, ge=0, title="Configurations", description="So many were read, or more."
    )
    linked: int | None = Field(
        default=None, ge=0, title="Linked", description="So many of them carry an asset key, or more."
    )
    assets: int | None = Field(
        default=None, ge=0, title="Assets", description="So many were read from Lansweeper, or more."
    )
    custom_values: int | None = Field(
        default=None,
        ge=0,
        title="Custom field values",
        description="So many values were read in all custom fields, or more; the run then changes single "
        "fields and writes no record back whole.",
    )
    met: int | None = Field(
        default=None,
        ge=0,
        title="Links met",
        description="So many of the assets read are linked to a configuration of the company, or more.",
    )
    identified: int | None = Field(
        default=None,
        ge=0,
        title="With serial number or MAC",
        description="So many of the assets read have a serial number or a MAC address, or more.",
    )
    other_tenant: int | None = Field(
        default=None,
        ge=0,
        title="Linked in another tenant",
        description="So many of the assets read are linked to configurations of another tenant, or fewer.",
    )
    references: int | None = Field(
        default=None,
        ge=0,
        title="Reference records",
        description="So many types, statuses, manufacturers and locations were read together, or more.",
    )
    recreated: int | None = Field(
        default=None,
        ge=0,
        title="Created again",
        description="So many assets whose configuration is gone, or fewer, are created again.",
    )


@dataclass(frozen=True, slots=True)
class FoundConfiguration:
    """A configuration that was read by its id, and whose it is now."""

    id: int
    asset_key: str | None
    active: bool
    company_id: int
    company_name: str

    @property
    def company(self) -> str:
        return f"{self.company_name or 'another company'} (id {self.company_id})"


@dataclass(slots=True)
class LinkVerdict:
    """``held``: asset key -> why nothing is written of it. ``wrong``: records that the reading missed."""

    held: dict[str, str] = field(default_factory=dict)
    findings: list[GuardFinding] = field(default_factory=list)


def amount_findings(
    amounts: Mapping[tuple[str, str], KnownAmount],
    known_links: Mapping[str, int],
    configurations: Collection[ConfigurationRecord],
    assets: tuple[int, str],
    accept: AcceptOnce,
    limit: ShrinkLimit,
) -> list[GuardFinding]:
    """What shrank, and which known links were read without their key.

    Args:
        amounts: of the last whole reading, by name and scope; empty where none is known.
        known_links: asset key -> configuration id, as the ledger keeps them for this company.
        assets: how many were read, and the scope of that reading.
    """
    linked = {each.id for each in configurations if each.asset_key}
    read = {CONFIGURATIONS: len({each.id for each in configurations}), LINKED: len(linked)}
    found: list[GuardFinding] = []
    numbers = accept.model_dump()
    words = {
        CONFIGURATIONS: "Configurations of the company",
        LINKED: "Configurations with an asset key (ls_asset_id)",
    }
    for name, number in read.items():
        known = amounts.get((name, WHOLE))
        last = known.number if known else len(known_links) if name == LINKED else 0
        amount = Amount(name, words[name], last, number)
        found += shrink_findings([amount], limit, numbers, known.read_at if known else None)
    if known := amounts.get((ASSETS, assets[1])):
        amount = Amount(ASSETS, "Assets in Lansweeper", known.number, assets[0])
        found += shrink_findings([amount], limit, numbers, known.read_at)
    return found + _emptied(known_links, configurations)


def _emptied(
    known_links: Mapping[str, int], configurations: Iterable[ConfigurationRecord]
) -> list[GuardFinding]:
    bare = {each.id for each in configurations if not each.asset_key}
    lost = sorted(key for key, record_id in known_links.items() if record_id in bare)
    if not lost:
        return []
    named = ", ".join(f"configuration {known_links[key]} of asset {key}" for key in lost[:_EXAMPLES])
    return [
        GuardFinding(
            f"{counted(len(lost), 'link')} known from before {_is(lost)} gone from ConnectWise: the field "
            f"ls_asset_id was read empty, such as {named}. See whether the API member's role still shows "
            "custom fields, and who emptied them. Their assets are not created again.",
            refuses=False,
        )
    ]


def incomplete(
    name: str, words: str, read: int, counted_by_vendor: int | None, accept: AcceptOnce
) -> GuardFinding | None:
    """The finding for a reading that does not have as many records as the vendor counts."""
    if counted_by_vendor is None or counted_by_vendor == read:
        return None
    is_accepted = accepted(name, read, accept.model_dump())
    return acceptable(incomplete_words(words, read, counted_by_vendor), name, read, is_accepted, RUN_AGAIN)


def incomplete_words(words: str, read: int, counted_by_vendor: int) -> str:
    """How many were read, how many the vendor counts, and what that means."""
    return (
        f"{words}: {read:,} different ones were read, twice, but the vendor counts {counted_by_vendor:,}. "
        "Pages are missing or repeated, so the reading is not believed."
    )


def unreadable_keys(
    read: int, counted_by_vendor: int, where: str, accept: AcceptOnce, limit: ShrinkLimit
) -> GuardFinding | None:
    """The finding for asset keys that the vendor counts and the reading does not show.

    It needs no ledger: a new or lost one knows no link, and a role without custom fields then looks like a
    first load. So there is no number below which it is not compared.
    """
    every = ShrinkLimit(share=limit.share, minimum=0)
    if not Amount(LINKED, "", counted_by_vendor, read).shrank(every):
        return None
    text = (
        f"Configurations with an asset key (ls_asset_id) in {where}: {read:,} read, but the vendor counts "
        f"{counted_by_vendor:,}. The keys of the others can't be read, so their assets would be created a "
        "second time. See whether the API member's role still shows custom fields."
    )
    return acceptable(text, LINKED, read, accepted(LINKED, read, accept.model_dump()))


def assets_incomplete(read: int, total: int | None) -> bool:
    """Whether more assets are missing than can vanish between two pages."""
    return total is not None and Amount(ASSETS, "", total, read).shrank(MOST_MISSING)


def to_be_linked(result: MatchResult) -> list[AssetRecord]:
    """The assets that the plan would create, or link to a configuration that does not carry their key."""
    unmatched = [each.asset for each in result.unmatched]
    return unmatched + [each.asset for each in result.matched if each.matched_on != "link"]


def links_to_look_up(
    result: MatchResult, known: Mapping[str, int], configurations: Iterable[ConfigurationRecord]
) -> dict[str, int]:
    """Asset key -> id of the known configuration that was not read, of the assets to be linked."""
    assets = to_be_linked(result)
    if not assets or not known:
        return {}
    read = {each.id for each in configurations}
    return {each.key: known[each.key] for each in assets if each.key in known and known[each.key] not in read}


def judge_links(
    result: MatchResult,
    known: Mapping[str, int],
    configurations: Iterable[ConfigurationRecord],
    looked_up: Mapping[int, FoundConfiguration],
    not_looked_up: Collection[int],
    company_id: int,
    accept: AcceptOnce,
) -> LinkVerdict:
    """Which assets must be left alone, since their key is known to be a configuration's.

    Args:
        known: asset key -> configuration id, of this company and of the keys found in others.
        looked_up: the configurations that were read by id and exist, by id.
        not_looked_up: ids that were not asked for, there being too many.
    """
    return _Judge(known, configurations, looked_up, not_looked_up, company_id, accept).judge(result)


class _Judge:
    def __init__(
        self,
        known: Mapping[str, int],
        configurations: Iterable[ConfigurationRecord],
        looked_up: Mapping[int, FoundConfiguration],
        not_looked_up: Collection[int],
        company_id: int,
        accept: AcceptOnce,
    ) -> None:
        self._known = known
        self._read = {each.id: each for each in configurations} if known else {}
        self._looked_up = looked_up
        self._not_looked_up = set(not_looked_up)
        self._company_id = company_id
        self._accept = accept
        self._gone: dict[str, str] = {}
        self._elsewhere: dict[str, list[str]] = {}
        self._unread: list[int] = []
        self.verdict = LinkVerdict()

    def judge(self, result: MatchResult) -> LinkVerdict:
        for each in result.unmatched:
            if (record_id := self._known.get(each.asset.key)) is not None:
                self._judge(each.asset.key, record_id, matched=False)
        for match in result.matched:
            record_id = None if match.matched_on == "link" else self._known.get(match.asset.key)
            if record_id is not None and record_id != match.configuration.id:
                self._judge(match.asset.key, record_id, matched=True)
        self._say_what_is_gone()
        self._say_what_is_elsewhere()
        return self.verdict

    def _judge(self, key: str, record_id: int, *, matched: bool) -> None:
        if (read := self._read.get(record_id)) is not None:
            if not read.asset_key and not matched:
                self._hold(
                    key,
                    f"it is known as configuration {record_id}, whose ls_asset_id is empty now; "
                    "enter the asset key there again",
                )
            return
        if record_id in self._not_looked_up:
            self._hold(key, f"it is known as configuration {record_id}, which was not read")
        elif (found := self._looked_up.get(record_id)) is None:
            if not matched:
                self._gone[key] = (
                    f"it is known as configuration {record_id}, which is gone from ConnectWise or hidden "
                    "from this API member"
                )
        elif not found.asset_key or found.asset_key == key:
            self._place(key, found)

    def _place(self, key: str, found: FoundConfiguration) -> None:
        inactive = "" if found.active else ", inactive"
        if found.company_id == self._company_id:
            self._unread.append(found.id)
            self._hold(key, f"configuration {found.id} carries it{inactive}, though the list did not show it")
            return
        self._elsewhere.setdefault(found.company, []).append(key)
        self._hold(key, f"configuration {found.id} of {found.company} carries it{inactive}")

    def _hold(self, key: str, why: str) -> None:
        self.verdict.held[key] = f"Left alone: {why}."

    def _say_what_is_gone(self) -> None:
        count = len(self._gone)
        if not count:
            return
        said = (
            f"{counted(count, 'asset')} would be created a second time: the configurations that the ledger "
            "knows for them are gone from ConnectWise or hidden from this API member."
        )
        if self._accept.recreated is not None and count <= self._accept.recreated:
            text = f"{said} They are created again, as accepted for this run."
        else:
            for key, why in self._gone.items():
                self._hold(key, why)
            text = (
                f"{said} They are left alone. If they shall exist again, {how_to_accept({RECREATED: count})}."
            )
        self.verdict.findings.append(GuardFinding(text, refuses=False))

    def _say_what_is_elsewhere(self) -> None:
        if self._unread:
            named = ", ".join(str(record_id) for record_id in sorted(self._unread)[:_EXAMPLES])
            self.verdict.findings.append(
                GuardFinding(
                    f"{counted(len(self._unread), 'configuration')} of the company exist, but the list of "
                    f"configurations did not show them, such as {named}: the reading is wrong. Run again; if "
                    "it stays so, see the API member's role in ConnectWise."
                )
            )
        for company, keys in sorted(self._elsewhere.items()):
            self.verdict.findings.append(
                GuardFinding(
                    f"{counted(len(keys), 'asset')} {_is(keys)} linked to configurations of {company} now, "
                    "and left alone. If the companies were merged, run for that company from now on.",
                    refuses=False,
                )
            )


def _is(many: Collection[object]) -> str:
    return "is" if len(many) == 1 else "are"


def links_to_keep(
    configurations: Iterable[ConfigurationRecord],
    written: Mapping[str, int],
    known: Mapping[str, int],
    may_be_key: Callable[[str], bool] = bool,
) -> tuple[dict[str, int], list[str]]:
    """The links that are new or changed after a run, and the keys whose link is void.

    A known link stays though its configuration was not read; it is void once its configuration carries
    another asset's key. A key that several configurations carry says nothing.

    Args:
        written: asset key -> configuration id, of what the run created or linked.
    """
    present: dict[str, int] = {}
    several: set[str] = set()
    for each in configurations:
        if each.asset_key and present.setdefault(each.asset_key, each.id) != each.id:
            several.add(each.asset_key)
    relinked = set(written.values())
    present = {key: record_id for key, record_id in present.items() if record_id not in relinked}
    present |= written
    for key in several:
        present.pop(key, None)
    owner = {record_id: key for key, record_id in present.items()}
    changed = {
        key: record_id
        for key, record_id in present.items()
        if known.get(key) != record_id and may_be_key(key)
    }
    void = [key for key, record_id in known.items() if record_id in owner and owner[record_id] != key]
    return changed, [key for key in void if key not in present]
