"""Tries a connection out and says in words what is wrong with it."""

from __future__ import annotations

from connectors.checks import ConnectionCheck
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.models import CompanyInfo
from connectors.connectwise.refusals import CHECK_RIGHTS
from connectors.errors import ConnectorError, StopError

_NO_RIGHT = 403


async def check_connection(client: ConnectWiseClient) -> ConnectionCheck:
    """Look the company up, then read one record of every collection that the flows need; nothing is written.

    About eight requests. A wrong company, wrong keys, a missing client ID, a missing right, an untrusted
    certificate and an unreachable server are told apart, as far as the server does.
    """
    try:
        company = await client.company_info()
        missing = await missing_rights(client)
    except ConnectorError as error:
        return ConnectionCheck(False, str(error))
    if missing:
        message = f"The keys work, but the API member may not read: {', '.join(missing)}. {CHECK_RIGHTS}"
        return ConnectionCheck(False, message, (_reached(company),))
    return ConnectionCheck(True, _reached(company))


async def missing_rights(client: ConnectWiseClient) -> list[str]:
    """The collections, in words, that the API member may not read; one record of each is asked for."""
    reads = {
        "configurations": client.list_configurations,
        "configuration types": client.list_configuration_types,
        "configuration statuses": client.list_configuration_statuses,
        "companies": client.list_companies,
        "manufacturers": client.list_manufacturers,
        "locations": client.list_locations,
        "user-defined fields": client.list_user_defined_fields,
    }
    missing = []
    for name, read in reads.items():
        try:
            await read(fields="id", page_size=1)
        except StopError as error:
            if error.status != _NO_RIGHT or error.remedy != CHECK_RIGHTS:
                raise
            missing.append(name)
    return missing


def _reached(company: CompanyInfo) -> str:
    name = company.get("CompanyName") or company.get("CompanyID") or "the company"
    version = company.get("VersionNumber") or company.get("VersionCode")
    return f"Connected to {name}" + (f", ConnectWise version {version}." if version else ".")
