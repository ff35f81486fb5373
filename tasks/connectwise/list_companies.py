"""The documented action List Companies, and the look-up of the one company that a run is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import any_of
from tasks.rules.choices import choose_company, company_terms
from tasks.shared.action import action
from tasks.shared.connections import connectwise_client


@action("List Companies", key="companyDataSource")
async def list_companies(
    connection: str,
    conditions: str | None = None,
    child_conditions: str | None = None,
    custom_field_conditions: str | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> list[dict[str, Any]]:
    """Fetch companies from ConnectWise, to choose the one to synchronize (the Company data source).

    Args:
        connection: name of the ConnectWise PSA Connection block.
        conditions: a search in the vendor's conditions language, such as ``deletedFlag=false``.
        child_conditions: conditions on members of lists, such as ``communicationItems/value like "%@x.com"``.
        custom_field_conditions: such as ``caption="ls_asset_id" AND value != null``.
        page: which page; without a page size a page holds 25 records.
        page_size: records a page, at most 1,000; with neither page nor page size every record is fetched.

    Raises:
        RejectedError: the conditions or the page size are refused; the message says why.
    """
    async with connectwise_client(connection) as client:
        return await client.companies.list(
            conditions=conditions,
            child_conditions=child_conditions,
            custom_field_conditions=custom_field_conditions,
            page=page,
            page_size=page_size,
        )


@dataclass(frozen=True, slots=True)
class Company:
    """The ConnectWise company that a run is for."""

    id: int
    identifier: str
    name: str


async def find_company(client: ConnectWiseClient, typed: str) -> Company:
    """The company of that identifier or name, with one request.

    Raises:
        CompanyNotFoundError: there is none, or several share the name.
    """
    terms = company_terms(typed)
    conditions = f"{any_of('identifier', terms)} or {any_of('name', terms)}"
    found = await client.companies.list(
        conditions=conditions, fields="id,identifier,name,deletedFlag", page=1, page_size=50
    )
    chosen = choose_company(typed, found)
    return Company(int(chosen["id"]), str(chosen["identifier"]), str(chosen.get("name") or ""))
