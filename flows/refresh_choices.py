"""The Company data source: reads companies and other choices, and offers them in the run forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from connectors.connectwise.block import ConnectWiseConnection
from connectors.errors import ConnectorError
from connectors.lansweeper.block import LansweeperConnection
from tasks.rules.choices import Choices
from tasks.rules.text import counted
from tasks.shared.connections import DEFAULT, saved_block_names, shared_connections
from tasks.shared.progress import run_logger
from tasks.shared.results import finished_state
from tasks.shared.run_forms import (
    ConnectWiseName,
    LansweeperName,
    LedgerName,
    offer,
    read_block_names,
    read_companies,
    read_reference_names,
    read_sites,
    total,
)
from tasks.shared.run_names import flow_run_name

ARTIFACT_KEY = "refresh-choices"
LABELS = {
    "connectwise": "ConnectWise connections",
    "lansweeper": "Lansweeper connections",
    "ledger": "Integration ledgers",
    "company": "Companies",
    "site_id": "Lansweeper sites",
    "types": "Configuration types",
    "statuses": "Configuration statuses",
    "manufacturers": "Manufacturers",
    "locations": "Locations",
}
"""What the inputs' choices are called in the table."""
T = TypeVar("T")


@flow(name="refresh-choices", flow_run_name=flow_run_name, persist_result=False)
async def refresh_choices(
    connectwise: ConnectWiseName = DEFAULT,
    lansweeper: LansweeperName = DEFAULT,
    ledger: LedgerName = DEFAULT,
) -> Any:
    """Offer companies, sites, types, statuses, manufacturers, locations and blocks as dropdowns in run forms.

    Defaults and schedules of the deployments stay as they are, and a value typed by hand is still taken. A
    connection that is not saved is left out; one that can't be read leaves its dropdowns as they are.
    """
    problems: list[str] = []
    inputs = await read_block_names()
    values: dict[str, list[str]] = {}
    async with shared_connections(read_only=True, ledger=ledger):
        if connectwise in await saved_block_names(ConnectWiseConnection):
            inputs["company"] = await attempt(lambda: read_companies(connectwise), [], problems)
            values = await attempt(lambda: read_reference_names(connectwise), values, problems)
        if lansweeper in await saved_block_names(LansweeperConnection):
            inputs["site_id"] = await attempt(lambda: read_sites(lansweeper), [], problems)
        changed = await offer(Choices(inputs, values))
        return await publish(total(inputs) | total(values), changed, problems)


async def attempt(read: Callable[[], Awaitable[T]], otherwise: T, problems: list[str]) -> T:
    """What ``read`` gives; a vendor's refusal is noted, so that the other choices are still refreshed."""
    try:
        return await read()
    except ConnectorError as error:
        problems.append(str(error))
        run_logger().error("%s", error)
        return otherwise


async def publish(counts: dict[str, int], changed: list[str], problems: list[str]) -> Any:
    """How many choices each input offers now; a source that could not be read ends the run as failed."""
    rows = [{"Input": LABELS.get(name, name), "Choices": count} for name, count in counts.items()]
    text = f"{counted(len(changed), 'run form')} changed" + (f": {', '.join(changed)}." if changed else ".")
    await acreate_table_artifact(table=rows, key=ARTIFACT_KEY, description=text)
    name = f"{counted(len(problems), 'source')} could not be read"
    return finished_state(name, problems, None if problems else counts)
