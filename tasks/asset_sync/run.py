"""One run of asset-synchronization: settings, company, compiled mapping, open connections, reference actions.

``prepare_run`` checks the settings against ConnectWise before anything is read from Lansweeper.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from prefect import Task

from connectors.connectwise.client import ConnectWiseClient
from connectors.errors import StopError
from connectors.http import HttpSession
from connectors.ledger.models import MissingAsset, StoredPlan, WriteEntry
from connectors.ledger.store import Ledger
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.connectwise.create_configuration_status import create_configuration_status
from tasks.connectwise.create_configuration_type import create_configuration_type
from tasks.connectwise.create_location import create_location
from tasks.connectwise.create_manufacturer import create_manufacturer
from tasks.connectwise.list_companies import Company, find_company
from tasks.connectwise.list_configuration_status import list_configuration_status
from tasks.connectwise.list_configuration_types import list_configuration_types
from tasks.connectwise.list_locations import list_locations
from tasks.connectwise.list_manufacturers import list_manufacturers
from tasks.rules.asset_sync.custom_values import CustomValues
from tasks.rules.asset_sync.decide import FreshDecision, decide_fresh
from tasks.rules.asset_sync.matching.keys import TYPE_PATH
from tasks.rules.asset_sync.merge import Bases
from tasks.rules.asset_sync.plan import Modification
from tasks.rules.asset_sync.references import LOCATION, MANUFACTURER, STATUS, TYPE, ReferenceKind
from tasks.rules.asset_sync.unread import UnreadRecords
from tasks.rules.edits import Edit
from tasks.rules.forecast import Forecast
from tasks.rules.guards import GuardFinding
from tasks.rules.mapping.compile import (
    CompiledMapping,
    CustomFieldError,
    CustomFields,
    FieldMappingError,
    compile_mapping,
    mapping_problems,
    resolve_custom_fields,
)
from tasks.rules.mapping.model import LINK_CAPTION, FieldMapping
from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX, References
from tasks.rules.mapping.typed_ids import check_custom_field_ids, structure_level_problem
from tasks.rules.stored_plans.approval import Approval
from tasks.rules.values import FieldChange, folded
from tasks.shared.connections import current_run_id
from tasks.shared.events import EventSubject
from tasks.shared.journalled import RunJournal
from tasks.shared.progress import run_logger
from tasks.shared.whole_list import ShortListError, read_custom_fields, whole_custom_fields

Record = dict[str, Any]


class SyncRun:
    """Handed from step to step. A class of its own, so that Prefect does not look into it.

    ``connectwise`` and ``lansweeper`` are block names; ``highest_id`` is the highest configuration id that
    this run has seen of its company; ``reference_actions`` read and create reference records, and
    ``references`` are their ids, by target path; ``whole_site``: whether every asset of the site was read, so
    that one not among them is gone; ``site`` is Lansweeper's id of it; ``findings`` is what does not fit to
    what is known from before; ``notes`` is what a person should know of the run beside its counts;
    ``missing_assets`` says since when assets are missing, by key; ``unread``
    are records that the mapping fails on; ``values`` is what the company's custom fields show, ``hiding`` the
    ids of configurations that may have values which were not read: those are never written whole, and none
    is with ``only_single``; ``defined`` are the ids of all custom fields, None where they are not known,
    ``missing`` the mapped captions that are not among them; ``ids_to_check``: a person typed every id, and
    none has been held against ConnectWise yet; ``plan_id``: under which the ledger keeps the run's plan,
    empty where it does not; ``bases`` is what each asset and its configuration agreed on, ``conflicts`` the
    fields that both sides changed since, by asset key and field; ``forecast`` is what the
    whole run takes, by its plan, and ``site_session`` counts what it asks of Lansweeper; ``stored`` is the
    plan that the run applies, None where it makes its own; ``for_review``: a person is asked about the plan
    that the run only shows; ``approval`` is what a person approved of ``stored``, None where nobody was
    asked, and ``withheld`` the fields that are not written for it, by asset key.
    """

    def __init__(
        self,
        settings: AssetSynchronizationSettings,
        *,
        run_id: str,
        connectwise: str,
        lansweeper: str,
        company: Company,
        mapping: CompiledMapping,
        client: ConnectWiseClient,
        ledger: Ledger,
    ) -> None:
        self.settings = settings
        self.run_id = run_id
        self.connectwise = connectwise
        self.lansweeper = lansweeper
        self.company = company
        self.mapping = mapping
        self.client = client
        self.ledger = ledger
        self.reference_actions = reference_actions(connectwise, settings.structure_level_id)
        self.references: References = {}
        self.highest_id = 0
        self.whole_site = False
        self.site = ""
        self.link_caption = settings.other_captions.get(LINK_CAPTION, LINK_CAPTION)
        self.accept_once = settings.accept_once
        self.findings: list[GuardFinding] = []
        self.notes: list[str] = []
        self.missing_assets: Mapping[str, MissingAsset] = {}
        self.unread = UnreadRecords(mapping)
        self.values = CustomValues()
        self.hiding: set[int] = set()
        self.only_single = False
        self.defined: frozenset[int] | None = None
        self.missing: list[str] = []
        self.ids_to_check = False
        self.plan_id = ""
        self.bases = Bases(mapping)
        self.conflicts: dict[tuple[str, str], Edit] = {}
        self.stored: StoredPlan | None = None
        self.for_review = False
        self.approval: Approval | None = None
        self.withheld: Mapping[str, frozenset[str]] = {}
        self.forecast = Forecast()
        self.site_session: HttpSession | None = None

    @property
    def site_requests(self) -> int:
        """Requests to Lansweeper so far."""
        return 0 if self.site_session is None else self.site_session.requests

    @property
    def approves_all(self) -> bool:
        """Whether nothing of the plan was left out in a review: one that was not written whole stays open."""
        return self.approval is None or self.approval.whole

    @property
    def journal(self) -> RunJournal:
        """The journal of this run's writes to configurations."""
        return RunJournal(self.ledger, self.run_id, self.connectwise, self.company.id, self.tenant)

    @property
    def subject(self) -> EventSubject:
        """What the events of this run are about."""
        return EventSubject("asset-synchronization", self.company.id, self.company.identifier)

    @property
    def tenant(self) -> str:
        """The key of the ConnectWise tenant: leases, open batches and all that is remembered go by it."""
        return self.client.settings.tenant_key

    def decide_fresh(self, planned: Modification, record: Record | None) -> FreshDecision:
        """What of a planned modification may be written to its record as it is now."""
        return decide_fresh(
            planned.asset,
            planned.changes,
            record,
            self.mapping,
            self.references,
            company_id=self.company.id,
            planned_key=planned.configuration.asset_key,
            reactivate=self.settings.reactivate,
            bases=self.bases,
            withheld=self.withheld.get(planned.asset.key, ()),
        )

    def __repr__(self) -> str:
        return f"SyncRun({self.company.identifier}, {self.run_id})"


@dataclass(frozen=True, slots=True)
class Ready:
    """One modification as it is written now: the record as just read, and with the changes laid over.

    ``entry`` is what the journal keeps of it.
    """

    modification: Modification
    fresh: Record
    changes: tuple[FieldChange, ...]
    record: Record
    entry: WriteEntry


async def prepare_run(
    settings: AssetSynchronizationSettings,
    connectwise: str,
    lansweeper: str,
    client: ConnectWiseClient,
    ledger: Ledger,
) -> SyncRun:
    """Find the company and the custom fields, and compile the mapping.

    Raises:
        FieldMappingError: a mapping names a field that does not exist; the text has near matches.
        CompanyNotFoundError: no such company.
        CustomFieldError: ``ls_asset_id`` is missing.
    """
    mappings = settings.all_mappings()
    if problems := mapping_problems(mappings):
        raise FieldMappingError(" ".join(problems))
    company = await find_company(client, settings.company)
    all_typed = set(_captions(mappings)) <= settings.custom_field_ids.keys()
    custom_fields = (
        resolve_custom_fields(_captions(mappings), settings.custom_field_ids, [])
        if all_typed
        else await find_custom_fields(client, settings, mappings)
    )
    mapping = compile_for(settings, custom_fields)
    run = SyncRun(
        settings,
        run_id=current_run_id(),
        connectwise=connectwise,
        lansweeper=lansweeper,
        company=company,
        mapping=mapping,
        client=client,
        ledger=ledger,
    )
    run.missing = custom_fields.missing
    run.defined = custom_fields.defined
    run.ids_to_check = all_typed
    return run


def _captions(mappings: Sequence[FieldMapping]) -> list[str]:
    targets = [each.target for each in mappings if each.target.startswith(CUSTOM_FIELD_PREFIX)]
    return [target.removeprefix(CUSTOM_FIELD_PREFIX) for target in targets]


async def find_custom_fields(
    client: ConnectWiseClient, settings: AssetSynchronizationSettings, mappings: Sequence[FieldMapping]
) -> CustomFields:
    """The ids of the mapped custom fields: those that a person typed, checked, and the rest looked up.

    Raises:
        CustomFieldError: a typed id is not what it stands for, or ``ls_asset_id`` is missing.
        ShortListError: so it seems, but ConnectWise does not give as many custom fields as it counts.
    """
    typed = settings.custom_field_ids

    def choose(defined: Sequence[Record]) -> CustomFields:
        check_custom_field_ids(typed, settings.other_captions, defined)
        return resolve_custom_fields(_captions(mappings), typed, defined)

    defined = await read_custom_fields(client)
    try:
        return choose(defined)
    except CustomFieldError:
        return choose(await whole_custom_fields(client, defined))


async def check_typed_ids(run: SyncRun) -> None:
    """Hold the ids against the captions that the configurations show, where a person typed every one.

    A configuration lists each custom field with its caption. Only ids that it does not prove cost a request:
    those of a company without configurations, and wrong ones. To be called before anything is concluded from
    a custom field; raises as ``find_custom_fields``.
    """
    if not run.ids_to_check:
        return
    shown = [{"id": number, "caption": caption} for number, caption in run.values.captions.items() if number]
    try:
        check_custom_field_ids(run.settings.custom_field_ids, run.settings.other_captions, shown)
    except CustomFieldError:
        await find_defined(run)
    run.ids_to_check = False


async def find_defined(run: SyncRun) -> None:
    """Read which custom fields there are, and check typed ids by them; raises as ``find_custom_fields``."""
    try:
        found = await find_custom_fields(run.client, run.settings, run.settings.all_mappings())
    except StopError as error:
        # Whoever typed every id may have done so because the role can't list the fields.
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        run_logger().warning("The typed custom field ids could not be checked: %s", error)
        return
    run.defined = found.defined


async def check_missing_captions(run: SyncRun) -> None:
    """Read and count the custom fields again where configurations show one that their list lacks.

    Raises:
        ShortListError: the list was short.
    """
    shown = {folded(caption) for caption in run.values.captions.values()}
    lacking = [caption for caption in run.missing if folded(caption) in shown]
    if not lacking:
        return
    defined = await whole_custom_fields(run.client, await read_custom_fields(run.client))
    if any(
        caption in resolve_custom_fields([caption], {LINK_CAPTION: 1}, defined).ids for caption in lacking
    ):
        raise ShortListError(
            f"The list of custom fields lacked {', '.join(lacking)} at first, which configurations have",
            remedy="Run it again.",
        )


async def check_structure_level(
    client: ConnectWiseClient, level: int | None, locations: Sequence[Record] | None
) -> None:
    """See that the typed level exists; only one that no location is on costs a request.

    Raises:
        StructureLevelError: it does not.
    """
    if level is None or locations is None:
        return
    if any((each.get("structureLevel") or {}).get("id") == level for each in locations):
        return
    try:
        levels = await client.structure_levels.list(fields="id,name")
    except StopError as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        run_logger().warning("The typed structure level could not be checked: %s", error)
        return
    if problem := structure_level_problem(level, levels):
        raise StructureLevelError(problem)


class StructureLevelError(LookupError):
    """The typed structure level does not exist; the text names those that do."""


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
        fillers=settings.all_fillers(),
        type_path=TYPE_PATH if settings.match_keys_by_type else None,
    )


class ReferenceActions:
    """The two actions of one kind, on the connection of that name.

    ``inputs`` are what a creation needs beside the name: a location's structure level, of no other kind any.
    ``may_create`` says whether a missing name can be
    created at all, now or later.
    """

    def __init__(
        self,
        kind: ReferenceKind,
        connection: str,
        read: Task[..., Coroutine[Any, Any, list[Record]]],
        create: Task[..., Coroutine[Any, Any, Record]],
        *inputs: Any,
        may_create: bool = True,
    ) -> None:
        self.kind = kind
        self.connection = connection
        self.read = read
        self.create = create
        self.inputs = inputs
        self.may_create = may_create
        self.structure_level_id: int | None = inputs[0] if inputs else None

    async def existing(self) -> list[Record]:
        """Every record of this kind, read by a task run of its own."""
        return await self.read(self.connection)

    async def read_again(self) -> list[Record]:
        """The same within a task run."""
        return await self.read.fn(self.connection)

    async def send(self, name: str) -> Record:
        """Create one record, within a task run: one request."""
        return await self.create.fn(self.connection, name, *self.inputs)


def reference_actions(connection: str, structure_level_id: int | None = None) -> dict[str, ReferenceActions]:
    """The actions of every kind that can be created, by target path.

    Without a structure level no location can be: they are the provider's own business units.
    """
    every = (
        ReferenceActions(
            LOCATION,
            connection,
            list_locations,
            create_location,
            structure_level_id,
            may_create=structure_level_id is not None,
        ),
        ReferenceActions(MANUFACTURER, connection, list_manufacturers, create_manufacturer),
        ReferenceActions(STATUS, connection, list_configuration_status, create_configuration_status),
        ReferenceActions(TYPE, connection, list_configuration_types, create_configuration_type),
    )
    return {actions.kind.path: actions for actions in every}
