"""Looks at every saved connection: can it log in, what may it read, is everything there that runs need."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from tasks.asset_sync.decisions import publish_decisions
from tasks.dispatch.rule_names import check_rules
from tasks.rules.connection_findings import Finding, FindingResult, finding_rows, summary
from tasks.rules.text import counted
from tasks.shared.checks import (
    FieldCreation,
    check_connectwise,
    check_field_nation,
    check_lansweeper,
    check_windows,
)
from tasks.shared.connections import DEFAULT, saved_block_names, shared_connections
from tasks.shared.held_records import publish_held
from tasks.shared.results import finished_state
from tasks.shared.run_forms import LedgerName, titled
from tasks.shared.run_names import flow_run_name

ARTIFACT_KEY = "check-connections"


@flow(name="check-connections", flow_run_name=flow_run_name, persist_result=False)
async def check_connections(
    create_missing_fields: Annotated[
        bool, titled("Create missing fields", "Create those of the four custom fields that are not there.")
    ] = False,
    configuration_pod_id: Annotated[
        int | None,
        titled(
            "Configuration pod id",
            "Pod id of the configuration screen; needed to create the first custom field.",
        ),
    ] = None,
    ledger: LedgerName = DEFAULT,
) -> Any:
    """Try every saved connection out and show what is there and what is missing.

    Log in, version, rights, the four custom fields, visible companies and sites, the request budget, and
    whether everything exists that saved Dispatch Rules name. Further tables have all held records and all
    decisions on matches.
    The run fails if something that the flows need is missing. Nothing is written unless it is asked for.
    """
    creation = FieldCreation(create_missing_fields, configuration_pod_id)
    findings: list[Finding] = []
    async with shared_connections(read_only=not create_missing_fields, ledger=ledger):
        connectwise = await saved_block_names(ConnectWiseConnection)
        for name in connectwise:
            findings += await check_connectwise(name, creation)
        findings += await check_windows(connectwise)
        for name in await saved_block_names(LansweeperConnection):
            findings += await check_lansweeper(name)
        field_nation = await saved_block_names(FieldNationConnection)
        for name in field_nation:
            findings += await check_field_nation(name)
        findings += await check_rules(connectwise, field_nation)
        held = await publish_held(connectwise)
        decided = await publish_decisions(connectwise)
        return await publish([*(findings or [NOTHING_SAVED]), held, decided])


NOTHING_SAVED = Finding(
    "None",
    "Blocks",
    FindingResult.MISSING,
    "No connection is saved. Make a ConnectWise PSA Connection and a Lansweeper Connection under Blocks.",
)


async def publish(findings: list[Finding]) -> Any:
    """One table; anything that is needed and missing ends the run as failed."""
    bad = [each for each in findings if each.bad]
    text = f"{counted(len(findings), 'check')}, {len(bad)} with something to do."
    await acreate_table_artifact(table=finding_rows(findings), key=ARTIFACT_KEY, description=text)
    failures = [summary(findings)] if bad else []
    return finished_state(f"{counted(len(bad), 'check')} failed", failures, findings)
