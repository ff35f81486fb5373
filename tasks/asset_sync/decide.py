"""One decision of a person on a match: checked against both systems, shown, kept, and written where it links.

The decision is kept before ConnectWise is written: a run that is killed in between is finished by the next
asset-synchronization, which honours the decision. Costs two to three requests to ConnectWise and one to
Lansweeper, and one write for each configuration whose link changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import all_of, equals, quote
from connectors.errors import ConnectorError, RejectedError
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.graphql import any_key
from connectors.ledger.models import MatchDecision, WriteEntry
from connectors.ledger.store import Ledger
from tasks.connectwise.bulk_modify_configurations import patch_record
from tasks.connectwise.list_companies import Company
from tasks.rules.asset_sync.matching.decisions import (
    KEPT,
    OF_A_PAIR,
    Decision,
    DecisionPlan,
    LinkWrite,
    plan_decision,
)
from tasks.rules.asset_sync.reading import FEWER_BY_PEOPLE
from tasks.rules.asset_sync.undo import value_operations
from tasks.rules.mapping.model import LINK_CAPTION
from tasks.rules.text import plain_line
from tasks.rules.values import ConfigurationRecord, folded, plain_text
from tasks.shared.journalled import RunJournal
from tasks.shared.progress import run_logger
from tasks.shared.retry import Waiting, retry

Record = dict[str, Any]
_FIELDS = "id,name,activeFlag,company/id,company/name,customFields"
_NAME = "assetBasicInfo.name"


class DecisionRefusedError(ValueError):
    """The decision can't be kept as it was given; the text says why and the remedy. Nothing was written."""


@dataclass(slots=True)
class DecisionRun:
    """One run of link-configuration.

    ``link_field_id``: the id of ``ls_asset_id`` where a person typed it, else it is found by its caption.
    ``plan``, ``asset_name`` and ``standing``, the decisions on the asset so far, are what ``prepare`` found.
    """

    decision: Decision
    asset_key: str
    configuration_id: int | None
    move: bool
    link_field_id: int | None
    run_id: str
    connection: str
    company: Company
    client: ConnectWiseClient
    assets: LansweeperClient
    ledger: Ledger
    waiting: Waiting
    plan: DecisionPlan = field(default_factory=DecisionPlan)
    asset_name: str = ""
    configuration_name: str = ""
    standing: Sequence[MatchDecision] = ()
    records: dict[int, Record] = field(default_factory=dict)

    @property
    def tenant(self) -> str:
        """The key of the ConnectWise tenant."""
        return self.client.settings.tenant_key

    async def prepare(self) -> None:
        """Find asset and configuration, and plan what the decision writes.

        Raises:
            DecisionRefusedError: one does not exist, is of another company, or is linked otherwise.
        """
        self._check_inputs()
        every = await self.ledger.match_decisions.of_company(self.tenant, self.company.id)
        self.standing = [each for each in every if each.asset_key == self.asset_key]
        if self.decision is Decision.WITHDRAW:
            self._check_standing()
            return
        if self.decision is not Decision.UNLINK:
            self.asset_name = await self._find_asset()
        chosen = await self._find_configuration() if self.decision in OF_A_PAIR else None
        holders = await self._holders() if chosen is not None else []
        self.plan = plan_decision(self.decision, self.asset_key, chosen, holders, move=self.move)
        if self.plan.problems:
            raise DecisionRefusedError(" ".join(self.plan.problems))

    async def apply(self) -> list[str]:
        """Keep the decision and write the links; returns what failed, in words."""
        decisions = self.ledger.match_decisions
        if self.decision in KEPT:
            await decisions.decide(self.tenant, self.company.id, self._kept())
        else:
            number = self.configuration_id
            await decisions.withdraw(self.tenant, self.company.id, self.asset_key, number)
        # Before the writes: a link that is taken away is never to be missed by a later reading.
        given_up = {each.configuration.asset_key or "" for each in self.plan.writes} - {""}
        if given_up:
            inventory = self.ledger.inventory
            await inventory.forget(self.tenant, self.company.id, sorted(given_up), FEWER_BY_PEOPLE)
        for write in self.plan.writes:
            try:
                await self._write(write)
            except ConnectorError as error:
                return [f"Configuration {write.configuration.id} was not written: {error}"]
        if self.decision is Decision.LINK and self.configuration_id is not None:
            link = {self.asset_key: self.configuration_id}
            await self.ledger.inventory.remember(self.tenant, self.company.id, links=link)
        return []

    def _check_inputs(self) -> None:
        if not self.asset_key:
            raise DecisionRefusedError(
                "No asset is named. Enter its key, as the artifact ambiguous-assets has it."
            )
        if self.decision in OF_A_PAIR and self.configuration_id is None:
            raise DecisionRefusedError(
                f"The decision {self.decision} needs a configuration. Enter its id, as ConnectWise shows it."
            )

    def _check_standing(self) -> None:
        of = self.configuration_id
        if not [each for each in self.standing if of is None or each.configuration_id == of]:
            pair = f" and configuration {of}" if of is not None else ""
            raise DecisionRefusedError(
                f"No decision stands on asset {self.asset_key}{pair} of {self.company.identifier}. "
                "check-connections lists those that do."
            )

    async def _find_asset(self) -> str:
        site = await retry(self.assets.site_id, self.waiting)

        async def read() -> list[Any]:
            pages = self.assets.asset_pages(site, [_NAME], filters=any_key([self.asset_key]))
            return [item async for page in pages for item in page.items]

        found = [each for each in await retry(read, self.waiting) if each.get("key") == self.asset_key]
        if not found:
            raise DecisionRefusedError(
                f"Lansweeper site {site} has no asset with the key {self.asset_key!r}. "
                "Copy the key from the artifact ambiguous-assets or from the asset's address."
            )
        return plain_line((found[0].get("assetBasicInfo") or {}).get("name") or "")

    async def _find_configuration(self) -> ConfigurationRecord:
        number = self.configuration_id
        found = await self._read(equals("id", int(number or 0)))
        if not found:
            raise DecisionRefusedError(
                f"ConnectWise has no configuration {number} that this API member may see."
            )
        company = found[0].get("company") or {}
        if company.get("id") != self.company.id:
            raise DecisionRefusedError(
                f"Configuration {number} belongs to {company.get('name') or 'another company'}, "
                f"not to {self.company.identifier}."
            )
        self.configuration_name = plain_line(found[0].get("name") or "")
        return self._record(found[0])

    async def _holders(self) -> list[ConfigurationRecord]:
        """The company's configurations that carry the asset's key; by the ledger where search is refused."""
        of_company = equals("company/id", self.company.id)
        try:
            found = await self._read(
                of_company, f"caption={quote(LINK_CAPTION)} AND value={quote(self.asset_key)}"
            )
        except RejectedError as error:
            run_logger().warning("ConnectWise does not search by custom field: %s", error)
            known = (await self.ledger.inventory.links(self.tenant, self.company.id)).get(self.asset_key)
            found = await self._read(all_of(of_company, equals("id", known))) if known else []
        records = [self._record(each) for each in found]
        chosen = self.records.get(self.configuration_id or 0)
        records += [self._record(chosen)] if chosen else []
        by_id = {each.id: each for each in records if each.asset_key == self.asset_key}
        return [by_id[number] for number in sorted(by_id)]

    async def _read(self, conditions: str, custom: str | None = None) -> list[Record]:
        read = partial(
            self.client.configurations.list, conditions, custom_field_conditions=custom, fields=_FIELDS
        )
        return await retry(read, self.waiting)

    def _record(self, record: Record) -> ConfigurationRecord:
        self.records[int(record["id"])] = record
        carried = plain_text(self._link_field(record).get("value"))
        name = plain_line(record.get("name") or "")
        return ConfigurationRecord(int(record["id"]), name, carried, None, None, True, ())

    def _link_field(self, record: Record) -> Record:
        for each in record.get("customFields") or []:
            by_id = self.link_field_id is not None and each.get("id") == self.link_field_id
            by_caption = folded(str(each.get("caption") or "")) == LINK_CAPTION
            if by_id or (self.link_field_id is None and by_caption):
                return dict(each)
        raise DecisionRefusedError(
            f"Configuration {record['id']} shows no custom field {LINK_CAPTION}. Create it (see set-up), or "
            "give its id under Link field id."
        )

    def _kept(self) -> MatchDecision:
        return MatchDecision(
            self.decision.value,
            self.asset_key,
            (self.configuration_id or 0) if self.decision in OF_A_PAIR else 0,
            self.asset_name,
            self.configuration_name,
            self.run_id,
        )

    async def _write(self, write: LinkWrite) -> None:
        """Write one link field, journalled, so that undo-run puts it back."""
        record = write.configuration
        own = self._link_field(self.records[record.id])
        key = f"customFields/{own['id']}"
        values = {key: write.asset_key or None}
        entry = WriteEntry(
            "modify",
            "configuration",
            record.id,
            write.asset_key or record.asset_key,
            record.name or "",
            {key: own.get("value")},
            values,
        )
        journal = RunJournal(self.ledger, self.run_id, self.connection, self.company.id, self.tenant)
        async with journal.write(entry):
            await retry(lambda: patch_record(self.client, record.id, value_operations(values)), self.waiting)
