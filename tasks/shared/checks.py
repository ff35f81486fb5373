"""Checks of saved connections: can each log in, what may it read, is everything there that runs need.

The version of ConnectWise that a connection reached last is kept in a Prefect variable, so that a check tells
when it has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.variables import Variable

from connectors.connectwise.block import ConnectWiseConnection, missing_rights
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import equals
from connectors.connectwise.refusals import CHECK_RIGHTS
from connectors.errors import ConnectorError
from connectors.field_nation.block import FieldNationConnection
from connectors.field_nation.block import check_connection as check_field_nation_connection
from connectors.field_nation.settings import REQUEST_LIMITS as FIELD_NATION_LIMITS
from connectors.lansweeper.block import LansweeperConnection, check_connection
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.settings import REQUEST_LIMITS
from tasks.rules.connection_findings import (
    FieldState,
    Finding,
    FindingResult,
    differing_windows,
    field_states,
    new_field,
    pod_problem,
    requests_of_day,
    used_requests,
    version_details,
)
from tasks.rules.text import counted
from tasks.rules.write_rights import (
    mutation_findings,
    role_findings,
    untested_field_nation,
    untested_role,
)
from tasks.shared.connections import (
    connectwise_client,
    field_nation_client,
    lansweeper_client,
    load_block,
    open_ledger,
)
from tasks.shared.whole_list import ShortListError, read_custom_fields, whole_custom_fields

VARIABLE = "connectwise_flows_seen_versions"


NAMED_SITES = 10


class FieldCreation:
    """Whether missing custom fields are created, and where if no other field tells the place."""

    def __init__(self, create: bool = False, pod_id: int | None = None) -> None:
        self.create = create
        self.pod_id = pod_id


async def check_connectwise(name: str, creation: FieldCreation) -> list[Finding]:
    """Log in, version, rights, custom fields, visible companies and requests used of one connection."""
    label = f"ConnectWise {name}"
    try:
        block = await load_block(ConnectWiseConnection, name)
        async with connectwise_client(name) as client:
            findings = [*await _log_in(label, name, client), await _rights(label, client)]
            readable = not findings[-1].bad
            findings += await rights_to_write(label, client)
            if readable:
                findings += [*await _fields(label, client, creation), await _companies(label, client)]
        limits = [(block.request_limit, float(block.request_window_seconds))]
        return [*findings, *await _rate_limits(label, client.settings.tenant_key, limits, block)]
    except (ConnectorError, ValueError) as error:
        return [Finding(label, "Log in", FindingResult.FAILED, str(error))]


async def _log_in(label: str, name: str, client: ConnectWiseClient) -> list[Finding]:
    """The look-up takes no keys: a wrong one is refused by the reads that follow."""
    company = await client.company_info()
    version = str(company.get("VersionNumber") or company.get("VersionCode") or "")
    kept: Any = await Variable.aget(VARIABLE, default=None)
    seen = {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else {}
    details = version_details(version, seen.get(name))
    # An unknown version leaves what is kept.
    if version and seen.get(name) != version:
        await Variable.aset(VARIABLE, {**seen, name: version}, overwrite=True)
    reached = company.get("CompanyName") or client.settings.company_id
    return [
        Finding(label, "Log in", FindingResult.OK, f"Connected to {reached} at {client.settings.base_url}."),
        Finding(label, "Version", FindingResult.NOTE if "newer" in details else FindingResult.OK, details),
    ]


async def _rights(label: str, client: ConnectWiseClient) -> Finding:
    missing = await missing_rights(client)
    if missing:
        details = f"The API member may not read: {', '.join(missing)}. {CHECK_RIGHTS}"
        return Finding(label, "Rights", FindingResult.MISSING, details)
    return Finding(label, "Rights", FindingResult.OK, "Every collection that the flows use can be read.")


async def rights_to_write(label: str, client: ConnectWiseClient) -> list[Finding]:
    """By the security role of the block's member, which is read and not tried: two requests."""
    member = client.settings.member_id
    if not member:
        return untested_role(label, "the block has no Member ID, by which the security role is found.")
    try:
        found = await client.members.list(
            equals("identifier", member), fields="id,identifier,securityRole/id", page_size=1
        )
        role = (found[0].get("securityRole") or {}).get("id") if found else None
        if not isinstance(role, int):
            return untested_role(label, f"ConnectWise does not tell the security role of {member!r}.")
        settings = await client.security_role_settings(role).list(page_size=1000)
    except ConnectorError as error:
        return untested_role(label, f"the security role can't be read ({error}).")
    return role_findings(label, settings)


async def _site_mutations(label: str, client: LansweeperClient) -> Finding:
    try:
        return mutation_findings(label, await client.site_mutations())
    except ConnectorError:
        return mutation_findings(label, None)


async def _fields(label: str, client: ConnectWiseClient, creation: FieldCreation) -> list[Finding]:
    defined = await read_custom_fields(client)
    findings = []
    if creation.create and any(state.missing for state in field_states(defined)):
        try:
            # A field that the list does not show would be created a second time.
            defined = await whole_custom_fields(client, defined)
        except ShortListError as error:
            return [Finding(label, "Custom fields", FindingResult.FAILED, str(error))]
        if problem := pod_problem(creation.pod_id, defined):
            findings.append(Finding(label, "Configuration pod id", FindingResult.FAILED, problem))
            creation = FieldCreation()
    for state in field_states(defined):
        if state.missing and creation.create:
            findings.append(await _create(label, client, state, defined, creation.pod_id))
        else:
            findings.append(_of_field(label, state))
    return findings


def _of_field(label: str, state: FieldState) -> Finding:
    check = f"Custom field {state.caption}"
    if state.id is not None:
        return Finding(label, check, FindingResult.OK, f"Its id is {state.id}.")
    return Finding(label, check, FindingResult.MISSING if state.needed else FindingResult.NOTE, state.problem)


async def _create(
    label: str,
    client: ConnectWiseClient,
    state: FieldState,
    defined: list[dict[str, Any]],
    pod_id: int | None,
) -> Finding:
    check = f"Custom field {state.caption}"
    record = new_field(state.caption, defined, pod_id)
    if record is None:
        details = (
            "Where custom fields of configurations lie is not known: create it by hand, or give the pod id."
        )
        return Finding(label, check, FindingResult.MISSING if state.needed else FindingResult.NOTE, details)
    try:
        created = await client.user_defined_fields.create(record)
    except ConnectorError as error:
        return Finding(label, check, FindingResult.FAILED, str(error))
    defined.append(record | created)
    return Finding(label, check, FindingResult.OK, f"Created with id {created['id']}.")


async def _companies(label: str, client: ConnectWiseClient) -> Finding:
    count = await client.companies.count("deletedFlag = false")
    if not count:
        details = f"The API member sees no company. {CHECK_RIGHTS}"
        return Finding(label, "Companies", FindingResult.MISSING, details)
    return Finding(label, "Companies", FindingResult.OK, f"{counted(count, 'company')} visible.")


async def check_lansweeper(name: str) -> list[Finding]:
    """Log in, visible sites, rights and requests used of one connection."""
    label = f"Lansweeper {name}"
    try:
        block = await load_block(LansweeperConnection, name)
        async with lansweeper_client(name) as client:
            checked = await check_connection(client)
            result = FindingResult.OK if checked.ok else FindingResult.FAILED
            findings = [Finding(label, "Log in", result, str(checked))]
            if checked.ok:
                findings += [await _sites(label, client), await _lansweeper_rights(label, client)]
                findings.append(await _site_mutations(label, client))
        key = client.tenant_key or client.settings.credential_key
        return [*findings, *await _rate_limits(label, key, REQUEST_LIMITS, block)]
    except (ConnectorError, ValueError) as error:
        return [Finding(label, "Log in", FindingResult.FAILED, str(error))]


async def _sites(label: str, client: LansweeperClient) -> Finding:
    names = [site["name"] or site["id"] for site in await client.authorized_sites()]
    more = f" and {len(names) - NAMED_SITES} more" if len(names) > NAMED_SITES else ""
    return Finding(label, "Sites", FindingResult.OK, f"Visible: {', '.join(names[:NAMED_SITES])}{more}.")


async def _lansweeper_rights(label: str, client: LansweeperClient) -> Finding:
    site = (await client.site())["id"]
    missing = []
    for what, read in {"asset types": client.asset_types, "custom fields": client.custom_fields}.items():
        try:
            await read(site)
        except ConnectorError as error:
            missing.append(f"{what} ({error})")
    if missing:
        details = f"The token may not read: {'; '.join(missing)}"
        return Finding(label, "Rights", FindingResult.MISSING, details)
    return Finding(label, "Rights", FindingResult.OK, "Assets, asset types and custom fields can be read.")


async def check_field_nation(name: str) -> list[Finding]:
    """Log in, visible work orders, webhooks and requests used of one connection."""
    label = f"Field Nation {name}"
    try:
        block = await load_block(FieldNationConnection, name)
        async with field_nation_client(name) as client:
            checked = await check_field_nation_connection(client)
        result = FindingResult.OK if checked.ok else FindingResult.FAILED
        findings = [Finding(label, "Log in", result, checked.message)]
        findings += [Finding(label, "Webhooks", FindingResult.NOTE, detail) for detail in checked.details]
        if checked.ok:
            findings.append(untested_field_nation(label))
        key = client.tenant_key or client.settings.credential_key
        return [*findings, *await _rate_limits(label, key, FIELD_NATION_LIMITS, block)]
    except (ConnectorError, ValueError) as error:
        return [Finding(label, "Log in", FindingResult.FAILED, str(error))]


async def _rate_limits(
    label: str,
    key: str,
    limits: Sequence[tuple[int, float]],
    block: ConnectWiseConnection | LansweeperConnection | FieldNationConnection,
) -> list[Finding]:
    """How many requests of each window are used, this check's own ones included, and the last day."""
    share = block.request_warning_percent / 100
    async with open_ledger() as ledger:
        findings = [
            used_requests(label, await ledger.rate_limits.used(key, window), limit, window, share)
            for limit, window in limits
        ]
        return [*findings, requests_of_day(label, (await ledger.request_history.last_day()).get(key))]


async def check_windows(names: Sequence[str]) -> list[Finding]:
    """Connections of one tenant whose request windows differ: they don't count each other's requests."""
    windows: dict[str, dict[str, tuple[int, int]]] = {}
    for name in names:
        block = await load_block(ConnectWiseConnection, name)
        try:
            tenant = block.settings().tenant_key
        except ConnectorError:
            continue
        windows.setdefault(tenant, {})[name] = (block.request_limit, block.request_window_seconds)
    return [finding for each in windows.values() for finding in differing_windows(each)]
