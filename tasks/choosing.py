"""Asks for the company when a run that a person started names none; a scheduled run fails at once."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import get_client
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import Field, create_model

from tasks.choices import read_companies
from tasks.progress import run_logger
from tasks.rules.choices import ASK

ANSWER_SECONDS = 3600
LOOK_SECONDS = 5
BY_MACHINE = frozenset({"SCHEDULE", "AUTOMATION"})


class CompanyMissingError(ValueError):
    """The run names no company and nobody is there to ask."""


async def chosen_company(
    typed: str, connection: str, *, answer_seconds: int = ANSWER_SECONDS, look_seconds: int = LOOK_SECONDS
) -> str:
    """The company that was typed; if none was, the one that the person who started the run picks.

    The run pauses until somebody resumes it in the Prefect UI, where the dialog has a dropdown of the
    companies that the connection sees. To be called from a flow, before anything is read.

    Args:
        connection: name of the ConnectWise PSA Connection block that the companies are read from.
        answer_seconds: how long the run waits for the answer before it fails.
        look_seconds: pause between two looks for the answer.

    Raises:
        CompanyMissingError: the run was scheduled, or not started from a deployment.
    """
    if typed.strip() not in ("", ASK):
        return typed.strip()
    if not await started_by_hand():
        raise CompanyMissingError(
            "No company is given, and a run that nobody started by hand can't ask for it. "
            "Set the company in the deployment's or the schedule's parameters."
        )
    asked = company_input(await read_companies(connection))
    answer = await pause_flow_run(asked, timeout=answer_seconds, poll_interval=look_seconds)  # type: ignore[misc]
    company = str(answer.company).strip()
    if not company:
        raise CompanyMissingError("The run was resumed without a company. Start it again and pick one.")
    run_logger().info("The company is %s", company)
    return company


async def started_by_hand() -> bool:
    """Whether a person started this run of a deployment: neither a schedule nor an automation did."""
    if not flow_run.id:
        return False
    async with get_client() as client:
        run = await client.read_flow_run(flow_run.id)
    by_machine = run.created_by is not None and run.created_by.type in BY_MACHINE
    return run.deployment_id is not None and not run.auto_scheduled and not by_machine


def company_input(choices: Sequence[str]) -> type[RunInput]:
    """The form of the resume dialog: one dropdown of these companies."""
    extra = {"enum": list(choices)} if choices else {}
    company = Field(
        title="Company",
        description="ConnectWise company of the configurations.",
        json_schema_extra=extra,  # type: ignore[arg-type]
    )
    made = create_model("CompanyChoice", __base__=RunInput, company=(str, company))
    return made.with_initial_data(description="Which company is this run for?")
