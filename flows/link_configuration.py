"""A person decides about a match: this asset is that configuration, these two never, ignore this asset."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import Field

from tasks.asset_sync.decide import DecisionRun
from tasks.asset_sync.decisions import publish_decisions
from tasks.connectwise.list_companies import find_company
from tasks.rules.asset_sync.matching.decisions import Decision, decision_markdown
from tasks.shared.connections import (
    DEFAULT,
    connectwise_client,
    current_run_id,
    lansweeper_client,
    open_ledger,
    shared_connections,
)
from tasks.shared.lease import LeaseHeldError, writing_lease
from tasks.shared.results import cancelled_state, finished_state
from tasks.shared.retry import Waiting
from tasks.shared.run_forms import ConnectWiseName, DryRun, LansweeperName, LedgerName, chosen_company, titled
from tasks.shared.run_names import flow_run_name

LINK_KEY = "link-configuration-plan"
WAITING = Waiting()


@flow(name="link-configuration", flow_run_name=flow_run_name, persist_result=False)
async def link_configuration(
    asset_key: Annotated[
        str, titled("Asset key", "Lansweeper's key of the asset, as the artifact ambiguous-assets has it.")
    ],
    company: Annotated[
        str, titled("Company", 'Identifier of the ConnectWise company, or "identifier: name".')
    ],
    decision: Annotated[
        Decision,
        titled(
            "Decision",
            "link: this asset is that configuration. unlink: take that link away, and match by keys again. "
            "never: never match these two. ignore: write nothing of this asset. withdraw: drop what was "
            "decided before.",
        ),
    ] = Decision.LINK,
    configuration_id: Annotated[
        int | None,
        titled("Configuration id", "ConnectWise's id; needed for link, unlink and never."),
    ] = None,
    move: Annotated[
        bool,
        titled(
            "Move the link",
            "Also where the configuration is linked to another asset, or the asset to another configuration: "
            "that link is taken away.",
        ),
    ] = False,
    dry_run: DryRun = True,
    link_field_id: Annotated[
        int | None,
        titled("Link field id", "Id of the custom field ls_asset_id; empty: it is found by its caption."),
        Field(ge=1),
    ] = None,
    connectwise: ConnectWiseName = DEFAULT,
    lansweeper: LansweeperName = DEFAULT,
    ledger: LedgerName = DEFAULT,
    waiting: Annotated[Waiting, titled("Waiting", "How long to wait for what passes by itself.")] = WAITING,
) -> Any:
    """Decide about one match; asset-synchronization honours it before all keys.

    Asset and configuration must exist, in the company. A link is written to ls_asset_id and noted in the
    journal, so that undo-run takes it back and withdraws the decision. A dry run, the default, shows what
    would be decided and written.
    """
    async with (
        shared_connections(read_only=dry_run, ledger=ledger),
        connectwise_client(connectwise) as client,
        lansweeper_client(lansweeper) as assets,
        open_ledger() as database,
    ):
        found = await find_company(client, await chosen_company(company.strip(), connectwise))
        run = DecisionRun(
            decision,
            asset_key.strip(),
            configuration_id,
            move,
            link_field_id,
            current_run_id(),
            connectwise,
            found,
            client,
            assets,
            database,
            waiting,
        )
        await run.prepare()
        if dry_run:
            return await show(run, dry_run=True)
        try:
            async with writing_lease(run.tenant, found.id, waiting.lease_seconds, connection=connectwise):
                await run.prepare()
                failed = await run.apply()
                await show(run, dry_run=False, failed=failed)
                await publish_decisions([connectwise])
                return finished_state("1 link was not written", failed, len(run.plan.writes))
        except LeaseHeldError as error:
            return cancelled_state(error)


async def show(run: DecisionRun, *, dry_run: bool, failed: list[str] | None = None) -> int:
    """Show what is decided and written as an artifact; returns how many link fields that are."""
    text = decision_markdown(
        run.decision,
        run.plan,
        asset=f"{run.asset_name} ({run.asset_key})" if run.asset_name else run.asset_key,
        configuration=run.configuration_id,
        configuration_name=run.configuration_name,
        standing=run.standing,
        dry_run=dry_run,
        failed=failed or [],
        run_id="" if dry_run else run.run_id,
        link=run.client.settings.configuration_url,
    )
    await acreate_markdown_artifact(text, key=LINK_KEY, description=f"{run.decision}: {run.asset_key}")
    return len(run.plan.writes)
