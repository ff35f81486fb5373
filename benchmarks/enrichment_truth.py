"""What the sandbox holds, as the enrichment should come to it: to compare runs with, record by record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.enrichment_model import configuration_address, texts_of
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.store import Ledger
from deployments.local.sandbox import Sandbox
from tasks.rules.asset_sync.compare import is_absent
from tasks.rules.enrichment.texts import FIELDS, AssetState, changed_texts

Links = dict[tuple[str, int], set[int]]
"""Configuration ids by kind and id of the ticket that holds them."""


class Truth:
    """The company's configurations with what belongs to them, from the sandbox's own tables."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        own = sandbox.company_id
        records = sandbox.state("company/configurations")
        self.configurations = {each["id"]: each for each in records if each["company"]["id"] == own}
        self.ticket_links: Links = {}
        self.tickets: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for kind in ("service", "project"):
            self._read_tickets(kind, own)
        self.agreements = self._read_agreements(own)

    def claims(self) -> dict[str, list[int]]:
        """The configurations that claim each asset, by its key."""
        found: dict[str, list[int]] = defaultdict(list)
        for record_id, record in self.configurations.items():
            if key := asset_key(record):
                found[key].append(record_id)
        return found

    def texts(self, limits: Mapping[str, int] | None = None) -> dict[str, dict[str, str]]:
        """The eleven texts of every asset that exactly one configuration claims, by its key."""
        return {key: self._texts_of(ids[0], limits) for key, ids in self.claims().items() if len(ids) == 1}

    def _texts_of(self, record_id: int, limits: Mapping[str, int] | None) -> dict[str, str]:
        known = self.sandbox.info["connectwise"]
        url = configuration_address(known["site"], known["company_id"], record_id)
        record, tickets = self.configurations[record_id], self.tickets[record_id]
        return texts_of(record, self.agreements[record_id], tickets, url, limits)

    def _read_tickets(self, kind: str, company_id: int) -> None:
        tickets = {each["id"]: each for each in self.sandbox.state(f"{kind}/tickets")}
        own = {key for key, each in tickets.items() if (each.get("company") or {}).get("id") == company_id}
        self.ticket_links |= {(kind, key): set() for key in own}
        for link in self.sandbox.state(f"{kind}/tickets/configurations"):
            if link["ticketId"] in own and link["configurationId"] in self.configurations:
                self.ticket_links[kind, link["ticketId"]].add(link["configurationId"])
                self.tickets[link["configurationId"]].append(tickets[link["ticketId"]])

    def _read_agreements(self, company_id: int) -> dict[int, list[dict[str, Any]]]:
        records = {each["id"]: each for each in self.sandbox.state("finance/agreements")}
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for link in self.sandbox.state("finance/agreements/configurations"):
            agreement = records[link["agreementId"]]
            if agreement["company"]["id"] == company_id:
                found[link["configurationId"]].append(agreement)
        return found


def account(sandbox: Sandbox) -> ConnectWiseSettings:
    """The sandbox's ConnectWise account."""
    known = sandbox.info["connectwise"]
    names = ("site", "company_id", "public_key", "private_key", "client_id")
    return ConnectWiseSettings(**{name: known[name] for name in names})


def asset_key(record: dict[str, Any]) -> str | None:
    """The asset that a configuration claims."""
    fields = record.get("customFields") or []
    return next((each.get("value") for each in fields if each["caption"] == "ls_asset_id"), None) or None


def asset_states(sandbox: Sandbox) -> dict[str, AssetState]:
    """Every asset with the texts of our custom fields, by its key."""
    names: dict[str, str] = {}
    for each in sandbox.state("lansweeper/customFields"):
        if each["name"] in FIELDS and each["name"] not in names.values():
            names[each["key"]] = each["name"]
    return {
        each["key"]: AssetState(each["key"], "", "", _values(each, names))
        for each in sandbox.state("lansweeper/assets")
    }


def check_texts(sandbox: Sandbox) -> None:
    """Every claimed asset has the texts that the sandbox's tables give, and no other asset has any.

    Raises AssertionError that names the first asset that differs.
    """
    states, texts = asset_states(sandbox), Truth(sandbox).texts()
    for key, state in states.items():
        if key in texts:
            assert not changed_texts(state.values, texts[key]), (key, changed_texts(state.values, texts[key]))
        else:
            assert all(map(is_absent, state.values.values())), key


async def check_ledger(sandbox: Sandbox, ledger: Path) -> None:
    """The ledger remembers of every ticket of the company exactly the configurations that it has.

    Raises AssertionError that names the first ticket that differs.
    """
    truth = Truth(sandbox)
    linked = {number for numbers in truth.claims().values() for number in numbers}
    async with Ledger.open(ledger) as database:
        tenant = account(sandbox).budget_key
        remembered = await database.ticket_links(tenant, sandbox.company_id)
    found = {(each.kind, each.ticket_id): set(each.configuration_ids) & linked for each in remembered}
    for ticket, numbers in truth.ticket_links.items():
        assert found.get(ticket) == numbers & linked, (ticket, found.get(ticket), numbers & linked)


def _values(asset: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    fields = (asset.get("assetCustom") or {}).get("fields") or []
    return {names[each["fieldKey"]]: each["value"] for each in fields if each["fieldKey"] in names}
