"""Every action has the documented name, key and inputs; read from the connector page where it is at hand.

Only what is certainly harmless to repeat is a retry of the task, never an unclear outcome of a write.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from prefect import Task
from prefect.cache_policies import NO_CACHE

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from tasks.connectwise.bulk_create_configurations import bulk_create_configurations
from tasks.connectwise.bulk_modify_configurations import bulk_modify_configurations
from tasks.connectwise.create_configuration_status import create_configuration_status
from tasks.connectwise.create_configuration_type import create_configuration_type
from tasks.connectwise.create_location import create_location
from tasks.connectwise.create_manufacturer import create_manufacturer
from tasks.connectwise.list_agreements_for_configurations import list_agreements_for_configurations
from tasks.connectwise.list_companies import list_companies
from tasks.connectwise.list_configuration_status import list_configuration_status
from tasks.connectwise.list_configuration_types import list_configuration_types
from tasks.connectwise.list_configurations import list_configurations
from tasks.connectwise.list_locations import list_locations
from tasks.connectwise.list_manufacturers import list_manufacturers
from tasks.connectwise.list_tickets_for_configurations import list_tickets_for_configurations
from tasks.connectwise.match_configurations import match_configurations
from tasks.field_nation.notes_sync import notes_sync
from tasks.field_nation.status_synchronization import status_synchronization
from tasks.field_nation.work_order_creation import work_order_creation
from tasks.field_nation.work_order_update import work_order_update
from tasks.lansweeper.create_custom_field import create_custom_field
from tasks.lansweeper.edit_asset import edit_asset
from tasks.lansweeper.list_assets import list_assets
from tasks.lansweeper.list_custom_fields import list_custom_fields
from tasks.lansweeper.list_sites import list_sites
from tasks.shared.action import RETRY_DELAYS_SECONDS, action

pytestmark = pytest.mark.anyio


PAGE = Path(__file__).parents[4] / "shared" / "seeds" / "lansweeper-connectwise-connector.txt"
SEARCH = "conditions child_conditions custom_field_conditions page page_size"
SHORT_SEARCH = "conditions page page_size"
MATCH = (
    "conditions case_sensitive_match configuration_name_path serial_number_path mac_address_path "
    "model_number_path ip_address_path additional_field_mappings custom_field_mappings external_data"
)

Action = Task[..., Any]
ON_THE_PAGE: list[tuple[Action, str, str, str]] = [
    (list_locations, "List Locations", "listOfLocationsAction", SEARCH),
    (create_location, "Create Location", "createLocationAction", "name structure_level_id"),
    (list_configuration_types, "List Configuration Types", "listConfigurationTypes", SEARCH),
    (create_configuration_type, "Create Configuration Type", "createConfigurationTypeAction", "name"),
    (list_manufacturers, "List Manufacturers", "listOfManufacturersAction", SHORT_SEARCH),
    (create_manufacturer, "Create Manufacturer", "createManufacturerAction", "name"),
    (list_configuration_status, "List Configuration Status", "listConfigurationStatus", SHORT_SEARCH),
    (
        create_configuration_status,
        "Create Configuration Status",
        "createConfigurationStatusAction",
        "description closed_flag default_flag",
    ),
    (
        list_agreements_for_configurations,
        "List Agreements for Configurations",
        "listAgreementsForConfigurationsAction",
        "configuration_request_payload",
    ),
    (
        list_tickets_for_configurations,
        "List Tickets for Configurations",
        "listTicketsForConfigurationsAction",
        "configuration_request_payload",
    ),
    (match_configurations, "Match Configurations", "matchConfigurationsAction", MATCH),
]
"""Task, documented name, documented key, documented inputs besides the connection."""

NAMED_ONLY: list[tuple[Action, str, str, str]] = [
    (list_configurations, "List of Configurations", "listOfConfigurationsAction", SEARCH),
    (list_companies, "List Companies", "companyDataSource", SEARCH),
    (
        bulk_create_configurations,
        "Bulk Configuration Creation",
        "bulkConfigurationCreationAction",
        "configurations",
    ),
    (
        bulk_modify_configurations,
        "Bulk Configuration Modification",
        "bulkConfigurationModificationAction",
        "configurations",
    ),
    (list_sites, "List Sites", "listSitesAction", ""),
    (list_assets, "List Assets", "listAssetsAction", "site_id fields filters page_size"),
    (edit_asset, "Edit Asset", "editAssetAction", "asset_key custom_fields fields allow_locking site_id"),
    (list_custom_fields, "List Custom Fields", "listCustomFieldsAction", "site_id"),
    (create_custom_field, "Create Custom Field", "createCustomFieldAction", "name type props site_id"),
    (
        work_order_creation,
        "Work Order Creation",
        "workOrderCreationAction",
        "record_id record_kind connectwise rules again",
    ),
    (
        work_order_update,
        "Work Order Update",
        "workOrderUpdateAction",
        "record_id record_kind connectwise rules",
    ),
    (
        status_synchronization,
        "Status Synchronization",
        "statusSynchronizationAction",
        "work_order_id connectwise rules",
    ),
    (notes_sync, "Notes Sync", "notesSyncAction", "work_order_id connectwise rules"),
]
"""Actions that the page names without a key or a table of inputs."""

ACTIONS = ON_THE_PAGE + NAMED_ONLY
FOLDERS = ("connectwise", "lansweeper", "field_nation")


@pytest.mark.parametrize(("task", "name", "key", "inputs"), ACTIONS, ids=lambda each: str(each)[:30])
def test_name_key_and_inputs(task: Action, name: str, key: str, inputs: str) -> None:
    assert task.name == name
    assert task.tags == {key}
    assert set(inspect.signature(task.fn).parameters) == {"connection", *inputs.split()}


@pytest.mark.parametrize("task", [each[0] for each in ACTIONS], ids=lambda each: each.name)
def test_description_tells_of_every_input_and_answers_are_not_cached(task: Action) -> None:
    text = inspect.getdoc(task.fn) or ""
    assert task.description == text
    described = re.findall(r"^    (\w+): \S", text.partition("Args:")[2].partition("\n\n")[0], re.MULTILINE)
    assert described == list(inspect.signature(task.fn).parameters)
    assert task.cache_policy == NO_CACHE
    assert task.persist_result is False


def test_every_action_module_is_here() -> None:
    folder = Path(__file__).parents[3] / "tasks"
    modules = [path for each in FOLDERS for path in (folder / each).glob("*.py")]
    known = {task.fn.__module__.rsplit(".", 1)[1] for task, *_ in ACTIONS}
    assert {path.stem for path in modules} - {"__init__"} == known


@pytest.mark.skipif(not PAGE.is_file(), reason="the connector page is not beside this checkout")
@pytest.mark.parametrize(("task", "name", "key", "_"), ON_THE_PAGE, ids=lambda each: str(each)[:30])
def test_the_page_says_the_same(task: Action, name: str, key: str, _: str) -> None:
    documented_key, inputs = read_page(name)
    assert documented_key == key
    parameters = inspect.signature(task.fn).parameters
    assert set(inputs) == set(parameters)
    needed = {each for each in parameters if parameters[each].default is inspect.Parameter.empty}
    # The one input that is required and has a documented default.
    assert {each for each, required in inputs.items() if required} - {"case_sensitive_match"} == needed


def read_page(name: str) -> tuple[str, dict[str, bool]]:
    """An action's documented key and its inputs, in this project's spelling, by whether they are required."""
    page = PAGE.read_text(encoding="utf-8")
    start = re.search(rf"^{name}\n\nThis action.*\n\nKey: (\w+)\n", page, re.MULTILINE)
    assert start
    section = re.split(r"\n\nThis action |\nPagination Scenarios", page[start.end() :])[0]
    rows = re.findall(r"^(\w[\w ]*)\n\n\((?:\w+) ?/ ?(Required|Optional)\)", section, re.MULTILINE)
    inputs = {label.lower().replace(" ", "_"): required == "Required" for label, required in rows}
    if "Additional Field Mappings\n\n(key-value pairs)" in section:
        inputs["additional_field_mappings"] = False
    return start.group(1), inputs


@pytest.mark.prefect
@pytest.mark.usefixtures("saved_blocks")
@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (RetryableError("later", retry_after=1), 1 + len(RETRY_DELAYS_SECONDS)),
        (UnclearOutcomeError("no answer"), 1),
        (RejectedError("no"), 1),
        (StopError("wrong key"), 1),
        (ValueError("a mistake"), 1),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_a_task_is_tried_again_only_when_that_is_harmless(error: Exception, tries: int) -> None:
    calls = []

    @action("Try", key="tryAction")
    async def attempt(connection: str) -> None:
        calls.append(connection)
        raise error

    with pytest.raises(type(error)):
        await attempt.with_options(retry_delay_seconds=0)("default")
    assert len(calls) == tries


@pytest.mark.prefect
@pytest.mark.usefixtures("saved_blocks")
def test_an_action_waits_for_the_whole_of_the_vendors_window_before_it_gives_up() -> None:
    assert create_manufacturer.retries == len(RETRY_DELAYS_SECONDS)
    assert sum(RETRY_DELAYS_SECONDS) >= 300
