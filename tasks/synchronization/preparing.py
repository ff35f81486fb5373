"""Makes a run ready: checks its settings against ConnectWise, before anything is read from Lansweeper."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import any_of
from connectors.ledger.store import Ledger
from tasks.connections import current_run_id
from tasks.progress import run_logger
from tasks.rules.companies import choose_company, company_terms
from tasks.rules.custom_fields import CustomFields, resolve_custom_fields
from tasks.rules.mapping import CompiledMapping, FieldMapping, MappingError, check_mappings, compile_mapping
from tasks.rules.targets import CUSTOM_FIELD_PREFIX
from tasks.synchronization.run import Company, SyncRun
from tasks.synchronization.settings import AssetSynchronizationSettings


async def prepare_run(
    settings: AssetSynchronizationSettings,
    connectwise: str,
    lansweeper: str,
    client: ConnectWiseClient,
    ledger: Ledger,
) -> SyncRun:
    """Find the company and the custom fields, and compile the mapping.

    Raises:
        MappingError: a mapping names a field that does not exist; the text has near matches.
        CompanyNotFoundError: no such company.
        CustomFieldError: ``ls_asset_id`` is missing.
    """
    mappings = settings.all_mappings()
    if problems := check_mappings(mappings):
        raise MappingError(" ".join(problems))
    company = await find_company(client, settings.company)
    mapping = compile_for(settings, await find_custom_fields(client, settings, mappings))
    return SyncRun(
        settings,
        run_id=current_run_id(),
        connectwise=connectwise,
        lansweeper=lansweeper,
        company=company,
        mapping=mapping,
        client=client,
        ledger=ledger,
    )


async def find_company(client: ConnectWiseClient, typed: str) -> Company:
    """The company of that identifier or name, with one request.

    Raises:
        CompanyNotFoundError: there is none, or several share the name.
    """
    terms = company_terms(typed)
    conditions = f"{any_of('identifier', terms)} or {any_of('name', terms)}"
    found = await client.list_companies(
        conditions=conditions, fields="id,identifier,name,deletedFlag", page=1, page_size=50
    )
    chosen = choose_company(typed, found)
    return Company(int(chosen["id"]), str(chosen["identifier"]), str(chosen.get("name") or ""))


async def find_custom_fields(
    client: ConnectWiseClient, settings: AssetSynchronizationSettings, mappings: Sequence[FieldMapping]
) -> CustomFields:
    """The ids of the mapped custom fields; ConnectWise is only asked for those that nobody typed."""
    targets = [each.target for each in mappings if each.target.startswith(CUSTOM_FIELD_PREFIX)]
    captions = [target.removeprefix(CUSTOM_FIELD_PREFIX) for target in targets]
    known = all(caption in settings.custom_field_ids for caption in captions)
    defined = [] if known else await client.list_user_defined_fields(page=1, page_size=1000)
    return resolve_custom_fields(captions, settings.custom_field_ids, defined)


def compile_for(settings: AssetSynchronizationSettings, custom_fields: CustomFields) -> CompiledMapping:
    """The mapping without the custom fields that ConnectWise does not have; each is named in the log."""
    for caption in custom_fields.missing:
        run_logger().warning("ConnectWise has no custom field %r; it is left out of this run", caption)
    missing = {CUSTOM_FIELD_PREFIX + caption for caption in custom_fields.missing}
    return compile_mapping(
        [each for each in settings.all_mappings() if each.target not in missing],
        custom_field_ids=custom_fields.ids,
        prefixes={"type.name": settings.prefix, "status.name": settings.prefix},
        software_limit=settings.software_lines,
    )
