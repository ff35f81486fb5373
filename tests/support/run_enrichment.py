"""Runs tickets-agreements-sla-sync in the test's process and looks at what it left behind."""

from __future__ import annotations

from typing import Any

from prefect import State

from benchmarks.performance.enrichment_model import EnrichmentModel, asset_states, check_texts
from deployments.local.sandbox import Sandbox
from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync
from tasks.enrichment.settings import EnrichmentSettings, EnrichmentWaiting
from tasks.rules.enrichment.plan import EnrichmentReport
from tests.support.run_flow import FlowRunner, ended_with

QUICK = EnrichmentWaiting(pause_seconds=0.3, lease_seconds=25)
FIELDS = 11
"""Custom fields that a first run makes, each with a mutation of its own."""


class Enricher(FlowRunner):
    """The flow, the sandbox it runs against, and its ledger."""

    def enrichment(self, **changes: Any) -> EnrichmentSettings:
        values = {"company": self.sandbox.company, "dry_run": False, "waiting": QUICK}
        return EnrichmentSettings(**(values | changes))

    async def enrich_state(self, **changes: Any) -> State[Any]:
        """Run the flow and answer its final state, whatever it is."""
        state: State[Any] = await tickets_agreements_sla_sync(self.enrichment(**changes), return_state=True)
        return state

    async def enrich(self, **changes: Any) -> EnrichmentReport:
        """Run the flow and answer its report; an exception that ended it is raised."""
        result = await ended_with(await self.enrich_state(**changes))
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, EnrichmentReport)
        return result

    def truth(self) -> EnrichmentModel:
        return EnrichmentModel(self.sandbox)

    def check(self) -> None:
        """Every asset has the texts that the sandbox's own tables give."""
        check_texts(self.sandbox)

    def text(self, key: str, name: str) -> str:
        """A custom field's text of an asset; empty if it has none."""
        return asset_states(self.sandbox)[key].values.get(name, "")

    def mutations(self) -> int:
        return int(self.sandbox.requests()["lansweeper"]["writes"])

    def connectwise_requests(self) -> int:
        return int(self.sandbox.requests()["connectwise"]["requests"])


def type_text(sandbox: Sandbox, key: str, name: str, text: str) -> None:
    """Give an asset another text in a custom field, as a person does."""
    fields = {each["name"]: each["key"] for each in sandbox.state("lansweeper/customFields")}
    asset = next(each for each in sandbox.state("lansweeper/assets") if each["key"] == key)
    others = [each for each in asset["assetCustom"].get("fields") or [] if each["fieldKey"] != fields[name]]
    texts = [*others, {"fieldKey": fields[name], "value": text}]
    sandbox.edit("lansweeper/assets", key, {"assetCustom": {**asset["assetCustom"], "fields": texts}})
