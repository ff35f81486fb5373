"""Configurations with agreements and tickets, and assets, for the tests of the enrichment."""

from __future__ import annotations

from typing import Any

from tasks.rules.enrichment.texts import AssetState, ConfigurationFacts, wanted_texts


def agreement(
    agreement_id: int = 538, status: str = "Active", start: str | None = "29/09/2000", **members: Any
) -> dict[str, Any]:
    """An agreement as List Agreements for Configurations answers it."""
    return {
        "id": agreement_id,
        "name": f"Agreement {agreement_id}",
        "startDate": start,
        "endDate": "30/09/2028",
        "agreementStatus": status,
        "type": {"id": 5, "name": "Block Time - One time"},
        **members,
    }


def ticket(ticket_id: int, closed: bool = False, status: str = "New") -> dict[str, Any]:
    """A ticket as List Tickets for Configurations answers it."""
    return {"id": ticket_id, "summary": "test", "status": {"id": 16, "name": status}, "closedFlag": closed}


def facts(configuration_id: int = 9015, key: str | None = "k1", **members: Any) -> ConfigurationFacts:
    """A configuration that claims the asset of that key."""
    url = f"https://na.example.test/openrecord.rails?recid={configuration_id}"
    return ConfigurationFacts(configuration_id, f"PC {configuration_id}", key, url, **members)


def asset(key: str = "k1", **values: str) -> AssetState:
    """An asset with these texts in its custom fields."""
    return AssetState(key, f"PC {key}", f"https://app.example.test/asset/{key}", values)


def up_to_date(source: ConfigurationFacts) -> AssetState:
    """The asset of a configuration, with every text as it should be."""
    return asset(str(source.asset_key), **wanted_texts(source))
