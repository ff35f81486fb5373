"""Registers the receiver of callbacks and webhooks at ConnectWise and Field Nation, or takes it back."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from tasks.dispatch.registration import (
    RegisteredEntry,
    Registration,
    RegistrationRequest,
    register_connectwise,
    register_field_nation,
)
from tasks.dispatch.settings import load_dispatch_settings
from tasks.rules.report import failures_name
from tasks.rules.text import counted, wrapped
from tasks.shared.connections import DEFAULT, connectwise_client, field_nation_client, shared_connections
from tasks.shared.results import finished_state
from tasks.shared.run_forms import ConnectWiseName, DryRun, FieldNationName, LedgerName, RulesName, titled
from tasks.shared.run_names import flow_run_name

ARTIFACT_KEY = "register-callbacks"
WIDTH = 60


@flow(name="register-callbacks", flow_run_name=flow_run_name, persist_result=False)
async def register_callbacks(
    address: Annotated[
        str,
        titled(
            "Receiver's address",
            "As the vendors reach it, such as https://hooks.example.com. May be empty for a list.",
        ),
    ] = "",
    what: Annotated[
        Registration,
        titled(
            "What to do", "list: show all entries; create: make the missing ones; remove: take ours back."
        ),
    ] = Registration.CREATE,
    dry_run: DryRun = True,
    boards: Annotated[
        list[str], titled("Boards", "Only tickets of these boards are told of. Empty: those of every board.")
    ] = [],  # noqa: B006
    suppress_own: Annotated[
        bool,
        titled(
            "Leave out our own changes", "ConnectWise does not tell of what the API member itself changed."
        ),
    ] = True,
    renew_secret: Annotated[
        bool,
        titled(
            "Renew the secret", "Send the webhook secret of the block to a webhook that is there already."
        ),
    ] = False,
    connectwise: ConnectWiseName = DEFAULT,
    field_nation: FieldNationName = DEFAULT,
    rules: RulesName = DEFAULT,
    ledger: LedgerName = DEFAULT,
) -> Any:
    """Create, list or remove the callbacks and webhooks that come to the receiver; may be repeated.

    Entries with another address are listed and never touched.
    """
    asked = RegistrationRequest(what, address, boards, suppress_own, renew_secret, dry_run)
    asked.check()
    read_only = dry_run or what is Registration.LIST
    async with (
        shared_connections(read_only=read_only, ledger=ledger),
        connectwise_client(connectwise) as ours,
        field_nation_client(field_nation) as theirs,
    ):
        settings = await load_dispatch_settings(rules)
        rows = await register_connectwise(ours, asked, settings)
        rows += await register_field_nation(theirs, asked, settings)
        return await publish(rows)


async def publish(rows: list[RegisteredEntry]) -> Any:
    """The table of all entries; refused ones end the run as failed."""
    shown = [
        {
            "System": each.system,
            "Entry": each.words,
            "Address": wrapped(each.url, WIDTH),
            "Outcome": each.outcome + (f": {wrapped(each.problem, WIDTH)}" if each.problem else ""),
        }
        for each in rows
    ]
    text = f"{counted(len(rows), 'entry')} at the vendors."
    await acreate_table_artifact(table=shown, key=ARTIFACT_KEY, description=text)
    problems = [each.problem for each in rows if each.problem]
    return finished_state(failures_name(len(problems)), problems, rows)
