"""The agreements of configurations: by one report, by bundles, or one agreement at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import equals
from connectors.ledger.store import Ledger
from tasks.connectwise.link_search.search import (
    Links,
    LinkSearch,
    StrategyFailedError,
    agreements,
    by_company,
    contradicted,
    probe_bundles,
    read_bundles,
    read_each,
    read_sample,
    spread,
    try_strategy,
)
from tasks.rules.enrichment.answers import agreement_rank, shown_agreement
from tasks.rules.enrichment.query_strategies import (
    BUNDLES,
    ONE_BY_ONE,
    REPORT,
    AgreementPlan,
    StrategyState,
    cheapest_agreement_strategy,
)
from tasks.rules.isolation import convert_all, problem_words
from tasks.shared.progress import Progress, run_logger
from tasks.shared.retry import RetryPolicy, retry

_FIELDS = "id,name,type,startDate,endDate,noEndingDateFlag,agreementStatus,sla"
REPORT_NAME = "ConfigurationAgreement"
OWNER, CONFIGURATION = "AgreementRecId", "ConfigurationRecId"
ORDER = f"{OWNER} asc,{CONFIGURATION} asc"
_SAMPLE = 2
"""Agreements that a cheaper strategy is checked against: one from each half."""
_LEFT_OUT = 2
"""Agreements without a row in the report that are looked at: it may leave out those of some statuses."""
FEW = 4
"""So few agreements are read one by one: trying anything else out costs as much."""


@dataclass(slots=True)
class AgreementLinks:
    """The agreements of each configuration asked for, and what it took to find them.

    Attributes:
        by_configuration: agreements as ``shown_agreement`` gives them, active ones first, then the newest.
        requests_predicted: made when the agreements were read, and before their configurations were.
        notes: strategies that could not be used, and why.
        unread: why the agreements of a configuration are not known: one of them can't be read.
        read: agreements of the companies, whether they cover one of the configurations or not.
        all_named: a report of every link names no agreement that was not read, so that none is missing which
            covers a configuration.
    """

    by_configuration: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    requests_predicted: int = 0
    requests_used: int = 0
    strategy: str = ""
    notes: list[str] = field(default_factory=list)
    unread: dict[int, str] = field(default_factory=dict)
    read: int = 0
    all_named: bool = False


async def find_agreements(
    client: ConnectWiseClient,
    ledger: Ledger,
    configurations: Sequence[dict[str, Any]],
    *,
    waiting: RetryPolicy | None = None,
) -> AgreementLinks:
    """The agreements of these records, with at least ``id`` and ``company.id``, by their companies."""
    found = AgreementLinks(all_named=bool(configurations))
    for company_id, ids in by_company(configurations).items():
        search = await LinkSearch.open(client, ledger, company_id, waiting)
        one = _CompanyAgreements(search, ids)
        await one.find()
        one.add_to(found)
    return found


class _CompanyAgreements:
    """The search in one company.

    ``rows``: how many links the report has, None while that is not known; ``all_named``: as in
    ``AgreementLinks``.
    """

    def __init__(self, search: LinkSearch, ids: Collection[int]) -> None:
        self.search = search
        self.ids = frozenset(ids)
        self.owners = agreements(search.client)
        self.records: list[dict[str, Any]] = []
        self.rows: int | None = None
        self.sample: Links = {}
        self.links: Links = {}
        self.plan = AgreementPlan(ONE_BY_ONE, 0)
        self.predicted = 0
        self.all_named = False

    async def find(self) -> None:
        self.records = await retry(self._read, self.search.waiting)
        if len(self.records) > FEW:
            await self._prepare()
        self.links = await self._find_links()
        await self.search.save_strategies()
        run_logger().info("Company %d: %d requests used", self.search.company_id, self.search.used)

    def add_to(self, found: AgreementLinks) -> None:
        for each in self.ids:
            found.by_configuration.setdefault(each, [])

        def failed(record: dict[str, Any], error: Exception) -> None:
            why = f"its agreement {record['id']} can't be read: {problem_words(error)}"
            for each in self.links.get(record["id"], frozenset()) & self.ids:
                found.unread.setdefault(each, why)

        shown = convert_all(
            self.records, lambda each: (agreement_rank(each), each["id"], shown_agreement(each)), failed
        )
        for _, owner, agreement in sorted(shown, key=lambda each: each[:2]):
            for each in self.links.get(owner, frozenset()) & self.ids:
                found.by_configuration[each].append(agreement)
        found.read += len(self.records)
        found.all_named &= self.all_named
        found.requests_predicted += self.predicted
        found.requests_used += self.search.used
        found.strategy = "; ".join(dict.fromkeys([*filter(None, [found.strategy]), self.plan.strategy]))
        found.notes += [each for each in self.search.notes if each not in found.notes]

    async def _read(self) -> list[dict[str, Any]]:
        pages = self.search.client.agreements.pages(self._of_company("company/id"), fields=_FIELDS)
        return [each async for page in pages for each in page]

    def _of_company(self, name: str) -> str:
        return equals(name, self.search.company_id)

    async def _prepare(self) -> None:
        if self.search.strategies.is_open(REPORT):
            try:
                self.rows = await try_strategy(REPORT, self._count, self.search.waiting)
            except StrategyFailedError as error:
                self.search.failed(error)
        ids = [each["id"] for each in self.records]
        self.sample = await read_sample(self.search, self.owners, ids, _SAMPLE)

    async def _find_links(self) -> Links:
        """A strategy that fails is noted, and the next one taken; child collections never do."""
        while True:
            try:
                await self._choose()
                return await self._carry_out()
            except StrategyFailedError as error:
                self.search.failed(error)

    async def _choose(self) -> None:
        """The cheapest plan; bundles that are not known to work are tried out before it is believed."""
        strategies = self.search.strategies
        self.plan = AgreementPlan(ONE_BY_ONE, len(self.records))
        if len(self.records) > FEW:
            self.plan = cheapest_agreement_strategy(strategies, len(self.records), self.rows)
        if (
            self.plan.strategy == BUNDLES
            and strategies.state(self.owners.bundle_strategy) is StrategyState.UNKNOWN
        ):
            await probe_bundles(self.search, self.owners, self.sample)
            self.plan = cheapest_agreement_strategy(strategies, len(self.records), self.rows)
        self.predicted = self.search.used + self.plan.requests
        run_logger().info(
            "Company %d: %d agreements; about %d requests in all (%s)",
            self.search.company_id,
            len(self.records),
            self.predicted,
            self.plan.strategy,
        )

    async def _carry_out(self) -> Links:
        ids = [each["id"] for each in self.records]
        if self.plan.strategy == REPORT:
            return await self._read_report(frozenset(ids))
        if self.plan.strategy != BUNDLES:
            return await read_each(self.search, self.owners, ids)
        links: Links = {}
        progress = Progress("agreements read in bundles", len(ids))
        async for some in read_bundles(self.search, self.owners, ids, self.sample):
            links |= some
            progress.advance(len(some))
        return links

    async def _count(self) -> int:
        return await self.search.client.count_report(REPORT_NAME, self._of_company("CompanyRecId"))

    async def _read_report(self, ids: frozenset[int]) -> Links:
        """The report's rows of the company's agreements, as many as it says that it has."""
        rows = await try_strategy(REPORT, self._rows, self.search.waiting)
        if len(rows) != self.rows:
            reason = f"it gives {len(rows)} rows and says that it has {self.rows}"
            raise StrategyFailedError(REPORT, StrategyState.FAILED, reason)
        found: dict[int, set[int]] = defaultdict(set)
        for agreement, configuration in rows:
            if agreement in ids:
                found[agreement].add(configuration)
        links = {agreement: frozenset(held) for agreement, held in found.items()}
        wrong = await contradicted(self.search, self.owners, self.sample, links)
        if wrong:
            reason = f"agreements {wrong} hold other configurations than their child collections say"
            raise StrategyFailedError(REPORT, StrategyState.WRONG, reason)
        await self._look_at_left_out(links)
        self.search.works(REPORT)
        self.all_named = all(agreement in ids for agreement, _ in rows)
        return links

    async def _look_at_left_out(self, links: Links) -> None:
        """StrategyFailedError if agreements without a row cover configurations; a few are read."""
        ranked = convert_all(
            self.records, lambda each: (agreement_rank(each), each["id"]), lambda each, error: None
        )
        empty = [owner for _, owner in sorted(ranked) if owner not in links]
        ids = spread(empty, _LEFT_OUT)
        held = await read_each(self.search, self.owners, ids)
        wrong = [each for each in ids if held.get(each)]
        if not wrong:
            return
        # Unless somebody has just added them, the report leaves them out.
        same = await try_strategy(REPORT, self._count, self.search.waiting) == self.rows
        reason = f"it leaves out agreements {wrong}, which cover configurations"
        raise StrategyFailedError(REPORT, StrategyState.WRONG if same else StrategyState.FAILED, reason)

    async def _rows(self) -> list[tuple[int, int]]:
        pages = self.search.client.report_rows(
            REPORT_NAME, [OWNER, CONFIGURATION], self._of_company("CompanyRecId"), order_by=ORDER
        )
        return [(_number(row[OWNER]), _number(row[CONFIGURATION])) async for page in pages for row in page]


def _number(value: Any) -> int:
    """An id of a report, whose cells may be text; 0, which no record has, for anything else."""
    text = str(value)
    return int(text) if text.isdecimal() else 0
