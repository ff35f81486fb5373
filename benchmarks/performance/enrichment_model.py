"""The enrichment's model: the eleven texts of each asset from the sandbox's own tables, written by hand.

Written from the connector page and the vendor's records, and not with the flow's rules: what both have in
common can't be wrong in both by one mistake. ``check_texts`` and ``check_ledger`` compare a run's outcome
with it, record by record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.store import Ledger
from deployments.local.sandbox import Sandbox
from tasks.rules.enrichment.texts import AssetState, changed_texts
from tasks.rules.mapping.comparison import is_absent

Record = Mapping[str, Any]
TOTALS = ("cw_total_tickets", "cw_open_tickets", "cw_closed_tickets")
_AGREEMENTS = ("id", "name", "type", "status", "start_date", "end_date")
FIELDS = (*TOTALS, "cw_configuration_url", *(f"cw_agreement_{part}" for part in _AGREEMENTS), "cw_sla")
"""The documented custom fields of Lansweeper."""
TYPES = {
    name: "NUMERIC" if name in TOTALS else "HYPERLINK" if name.endswith("_url") else "TEXTAREA"
    for name in FIELDS
}
MOST_AGREEMENTS, MOST_CHARACTERS = 50, 4000
"""The flow's usual limits of one text."""
Links = dict[tuple[str, int], set[int]]
"""Configuration ids by kind and id of the ticket that holds them."""


def texts_of(
    configuration: Record,
    agreements: Iterable[Record],
    tickets: Iterable[Record],
    url: str,
    limits: Mapping[str, int] | None = None,
) -> dict[str, str]:
    """The texts by field name; ``limits``: ``agreements`` and ``characters``, as the settings name them."""
    ordered = in_order(agreements)
    closed = [bool(each.get("closedFlag")) for each in tickets]
    sla: Record = next((each["sla"] for each in (configuration, *ordered) if each.get("sla")), {})
    totals = (len(closed), closed.count(False), closed.count(True))
    return {
        **{name: str(number) for name, number in zip(TOTALS, totals, strict=True)},
        "cw_configuration_url": url,
        **_agreement_texts(ordered, limits or {}),
        "cw_sla": _clean(sla.get("name")),
    }


def in_order(agreements: Iterable[Record]) -> list[Record]:
    """Active ones first, then the newest start, then the lowest id."""
    by_id = sorted(agreements, key=lambda each: int(each["id"]))
    by_start = sorted(by_id, key=lambda each: str(each.get("startDate") or "")[:10], reverse=True)
    return sorted(by_start, key=lambda each: each.get("agreementStatus") != "Active")


def configuration_address(site: str, company: str, number: int) -> str:
    """Where ConnectWise shows the configuration; ``site`` as the account names it."""
    scheme, _, host = site.rpartition("://")
    return (
        f"{scheme or 'https'}://{host.removeprefix('api-')}/v4_6_release/services/system_io/router/"
        f"openrecord.rails?locale=en_US&recordType=ConfigFv&recid={number}&companyName={company}"
    )


def _agreement_texts(ordered: Sequence[Record], limits: Mapping[str, int]) -> dict[str, str]:
    most = min(len(ordered), limits.get("agreements", MOST_AGREEMENTS))
    longest = limits.get("characters", MOST_CHARACTERS)
    rows = [_row(each) for each in ordered]
    columns = {f"cw_agreement_{part}": [row[part] for row in rows] for part in _AGREEMENTS}
    while True:
        texts = {name: _text(column, most) for name, column in columns.items()}
        if most == 0 or all(len(text) <= longest for text in texts.values()):
            return texts
        most -= 1


def _row(agreement: Record) -> dict[str, str]:
    unending = bool(agreement.get("noEndingDateFlag"))
    return {
        "id": str(agreement["id"]),
        "name": _clean(agreement.get("name")),
        "type": _clean((agreement.get("type") or {}).get("name")),
        "status": _clean(agreement.get("agreementStatus")),
        "start_date": _day(agreement.get("startDate")),
        "end_date": "" if unending else _day(agreement.get("endDate")),
    }


def _text(column: Sequence[str], most: int) -> str:
    """The first entries, and how many more there are; a column without any entry is empty."""
    if not any(column):
        return ""
    left = len(column) - most
    return "; ".join([*column[:most], *([f"... and {left} more"] if left else [])])


def _clean(text: str | None) -> str:
    """Blanks in a row are one; a semicolon would look like the next agreement."""
    return " ".join((text or "").replace(";", ",").split())


def _day(moment: str | None) -> str:
    return f"{moment[8:10]}/{moment[5:7]}/{moment[:4]}" if moment else ""


class EnrichmentModel:
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
    known = sandbox.info["connectwise"]
    names = ("site", "company_id", "public_key", "private_key", "client_id")
    return ConnectWiseSettings(**{name: known[name] for name in names})


def asset_key(record: dict[str, Any]) -> str | None:
    fields = record.get("customFields") or []
    return next((each.get("value") for each in fields if each["caption"] == "ls_asset_id"), None) or None


def asset_states(sandbox: Sandbox) -> dict[str, AssetState]:
    """Every asset with the texts of our custom fields, by its key."""
    names: dict[str, str] = {}
    for each in sandbox.state("lansweeper/customFields"):
        if each["name"] in FIELDS and each["name"] not in names.values():
            names[each["key"]] = each["name"]
    states = {}
    for each in sandbox.state("lansweeper/assets"):
        fields = (each.get("assetCustom") or {}).get("fields") or []
        texts = {names[one["fieldKey"]]: one["value"] for one in fields if one["fieldKey"] in names}
        states[each["key"]] = AssetState(each["key"], "", "", texts)
    return states


def check_texts(sandbox: Sandbox) -> None:
    """AssertionError unless every claimed asset, and no other one, has the texts of the sandbox's tables."""
    states, texts = asset_states(sandbox), EnrichmentModel(sandbox).texts()
    for key, state in states.items():
        if key in texts:
            assert not changed_texts(state.values, texts[key]), (key, changed_texts(state.values, texts[key]))
        else:
            assert all(map(is_absent, state.values.values())), key


async def check_ledger(sandbox: Sandbox, ledger: Path) -> None:
    """AssertionError unless the ledger remembers of every ticket exactly the configurations that it has."""
    model = EnrichmentModel(sandbox)
    linked = {number for numbers in model.claims().values() for number in numbers}
    async with Ledger.open(ledger) as database:
        tenant = account(sandbox).tenant_key
        remembered = await database.ticket_links.of_company(tenant, sandbox.company_id)
    found = {(each.kind, each.ticket_id): set(each.configuration_ids) & linked for each in remembered}
    for ticket, numbers in model.ticket_links.items():
        assert found.get(ticket) == numbers & linked, (ticket, found.get(ticket), numbers & linked)
