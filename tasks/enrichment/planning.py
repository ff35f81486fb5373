"""Joins what was read and found, and makes the plan; the decisions themselves are in ``tasks.rules``."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.enrichment.linking import Links
from tasks.enrichment.reading import asset_key_of
from tasks.enrichment.run import EnrichmentRun, Record
from tasks.inventory import Inventory
from tasks.rules.agreement_answer import sla_of
from tasks.rules.enrichment import AssetState, ConfigurationFacts
from tasks.rules.enrichment_plan import ConfigurationName, EnrichmentPlan, build_enrichment_plan


def make_enrichment_plan(
    run: EnrichmentRun,
    configurations: Inventory[Record],
    assets: Inventory[AssetState],
    links: Links,
    rivals: Mapping[str, ConfigurationName],
) -> EnrichmentPlan:
    """The plan of the run; from here on Lansweeper is only asked to write."""
    facts = [_facts(run, record, links) for record in configurations]
    run.reads = run.assets.session.requests
    return build_enrichment_plan(facts, assets, run.settings.text.limits(), rivals)


def _facts(run: EnrichmentRun, record: Record, links: Links) -> ConfigurationFacts:
    record_id = int(record["id"])
    agreements = links.agreements.get(record_id, ())
    return ConfigurationFacts(
        record_id,
        str(record.get("name") or ""),
        asset_key_of(record),
        run.client.settings.configuration_url(record_id),
        sla_of(record, agreements),
        agreements,
        links.tickets.get(record_id, ()),
    )
