"""What a reading of Lansweeper assets is held against: whose site it is, and whether its assets have keys.

Assets of another customer's site are like new ones, and assets without serial number and MAC address match
none of the configurations that a person made. Both would be created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.reading import ASSETS, IDENTIFIED, MET, OTHER_TENANT, AcceptOnce
from tasks.rules.guards import Amount, GuardFinding, ShrinkLimit, acceptable, accepted, shrink_findings


@dataclass(frozen=True, slots=True)
class AssetsRead:
    """What a reading of assets gave.

    Attributes:
        scope: of the reading, the site's id and then its filter.
        whole: no filter.
        met: how many are linked to a configuration that carries their key.
        links: how many links of the company are known.
        share_of_links: of the configurations that carried a key last time, how many were read, as a share.
        identified: how many have one of the keys that are mapped, of ``identified_by``: serial number and MAC
            address.
    """

    scope: str
    assets: int
    whole: bool
    met: int
    links: int
    identified: int
    identified_by: tuple[str, ...]
    share_of_links: float = 1.0

    @property
    def may_identify(self) -> bool:
        return bool(self.identified_by)


def identified_name(by: Iterable[str]) -> str:
    """The name of that amount in the ledger: readings of other keys are not compared."""
    return f"{IDENTIFIED} by {' or '.join(by)}"


def asset_findings(
    read: AssetsRead,
    amounts: Mapping[tuple[str, str], KnownAmount],
    accept: AcceptOnce,
    limit: ShrinkLimit,
) -> list[GuardFinding]:
    """What tells of another site, or of assets without their keys: their configurations would come twice.

    A link that an asset or a configuration fewer explains is not missed. A site that was never read for the
    company is another one if it meets none of the company's links.
    """
    found: list[GuardFinding] = []
    numbers = accept.model_dump()
    words = {MET: "Links met by assets", IDENTIFIED: "Assets with a serial number or a MAC address"}
    compared = [(MET, MET, read.met, read.share_of_links)]
    if read.may_identify:
        compared.append((IDENTIFIED, identified_name(read.identified_by), read.identified, 1.0))
    for name, kept, number, share in compared:
        known = amounts.get((kept, read.scope))
        before = amounts.get((ASSETS, read.scope))
        share *= min(1.0, read.assets / before.number) if before and before.number else 1.0
        if known and Amount(name, "", int(known.number * share), number).shrank(limit):
            amount = Amount(name, words[name], known.number, number)
            found += shrink_findings([amount], limit, numbers, known.read_at)
    site = read.scope.partition(":")[0]
    seen = any(name == ASSETS and scope.partition(":")[0] == site for name, scope in amounts)
    if read.whole and not seen and not read.met and read.links > limit.minimum:
        text = (
            f"None of the {read.assets:,} assets is one of the {read.links:,} that are linked to "
            f"configurations of this company, and site {site} was never read for it: it may be another "
            "customer's."
        )
        found.append(acceptable(text, MET, 0, accepted(MET, 0, numbers)))
    if read.may_identify and not read.identified and read.assets > limit.minimum:
        text = (
            f"None of the {read.assets:,} assets has a serial number or a MAC address, so most of them would "
            "be created beside the configurations that they are. See whether the token's role shows them."
        )
        if (identified_name(read.identified_by), read.scope) not in amounts:
            found.append(acceptable(text, IDENTIFIED, 0, accepted(IDENTIFIED, 0, numbers)))
    return found


def tenant_finding(
    assets: int, linked: Mapping[str, int], accept: AcceptOnce, limit: ShrinkLimit
) -> GuardFinding | None:
    """The finding for a first load of assets that this ledger has linked to configurations of another tenant.

    Args:
        linked: how many of the assets are linked in each other tenant.
    """
    tenant, number = max(linked.items(), key=lambda each: each[1], default=("", 0))
    if number <= limit.minimum or number <= assets / 2:
        return None
    text = (
        f"{number:,} of the {assets:,} assets are linked to configurations of the tenant {tenant}, and none "
        "to one of this tenant: the ConnectWise connection may lead to another tenant than before."
    )
    is_accepted = accept.other_tenant is not None and number <= accept.other_tenant
    return acceptable(text, OTHER_TENANT, number, is_accepted)
