"""Commands that show stored plans: which there are, and one of them whole as table, CSV, JSON or HTML."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from deployments.console.output import EXIT_CODES, CommandError, ExitCode, JsonOption, Output, command_output
from deployments.console.server import prefect_server, send_no_events
from tasks.rules.choices import ASK

if TYPE_CHECKING:
    from connectors.ledger.models import StoredPlan

app = typer.Typer(
    help=f"Plans that the ledger keeps: which there are, and each of them whole.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode=None,
)
DEFAULT_LEDGER = "default"
LedgerOption = Annotated[str, typer.Option("--ledger", metavar="NAME", help="Name of the ledger's block.")]

PlanOrCompanyArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[PLAN|COMPANY]",
        help="Id of a stored plan, such as plan-1a2b3c4d5e6f, or its beginning; or a company, as with plan.",
    ),
]
PLAN_ID = re.compile(r"plan-[0-9a-f]{1,12}", re.IGNORECASE)
DeploymentOfPlanOption = Annotated[
    str | None,
    typer.Option(
        "--deployment",
        "-d",
        metavar="NAME",
        help="Deployment to run. Usual: that of the plan's flow; with a company asset-synchronization.",
    ),
]
RestOption = Annotated[
    bool,
    typer.Option("--rest", help="Where records of the plan changed since: write the others, not none."),
]


class PlanForm(StrEnum):
    """The forms in which a plan is shown."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


@app.command("list", short_help="The newest plans.", epilog=EXIT_CODES)
def list_plans(
    company: Annotated[
        str, typer.Argument(metavar="[COMPANY]", help="Identifier of a company. Usual: all.")
    ] = "",
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=1000, metavar="N", help="So many.")] = 20,
    ledger: LedgerOption = DEFAULT_LEDGER,
    as_json: JsonOption = False,
) -> None:
    """List the newest plans that the ledger keeps, and what became of each.

    \b
    Examples:
      connectwise-flows plans list
      connectwise-flows plans list BlueLightCo --last 5
    """
    with command_output(as_json) as out, prefect_server(), _failures_in_words():
        found = asyncio.run(_listed(ledger, company.strip(), last))
        lines = [_told(each) for each in found]
        out.result({"plans": found}, "\n".join(lines) or "The ledger keeps no plan.")


@app.command("show", short_help="One plan, whole.", epilog=EXIT_CODES)
def show_plan(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="Id of the plan, or its beginning: plan-1a2b3c4d5e6f.")
    ],
    form: Annotated[
        PlanForm, typer.Option("--format", "-f", help="table, csv, json, or html: one page without network.")
    ] = PlanForm.TABLE,
    file: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write. Usual: the output.")
    ] = None,
    kind: Annotated[
        int | None,
        typer.Option("--kind", "-k", min=1, metavar="NUMBER", help="Only records of that kind of change."),
    ] = None,
    ledger: LedgerOption = DEFAULT_LEDGER,
    as_json: JsonOption = False,
) -> None:
    """Show every record of a plan: what is created and changed, field by field, and what is left alone.

    \b
    Examples:
      connectwise-flows plans show plan-1a2b3c4d5e6f
      connectwise-flows plans show 1a2b --kind 3
      connectwise-flows plans show 1a2b --format csv --out plan.csv
      connectwise-flows plans show 1a2b --format html --out plan.html
    """
    with command_output(as_json) as out, prefect_server(), _failures_in_words():
        shown = PlanForm.JSON if as_json else form
        if file is None:
            asyncio.run(_write(ledger, plan, shown, kind, out.stream()))
            return
        try:
            with file.open("w", encoding="utf-8", newline="") as stream:
                asyncio.run(_write(ledger, plan, shown, kind, stream))
        except OSError as error:
            raise CommandError(f"{file} can't be written: {error}", ExitCode.USAGE) from error
        _say_written(out, file)


def _say_written(out: Output, file: Path) -> None:
    out.say(f"Written to {file}.")
    if out.as_json:
        out.result({"file": str(file)}, "")


@contextmanager
def _failures_in_words() -> Iterator[None]:
    """A plan that is not there, or a ledger that can't be read, ends the command with a sentence."""
    from connectors.errors import ConnectorError

    try:
        yield
    except (ConnectorError, ValueError) as error:
        raise CommandError(str(error)) from error


async def _listed(ledger: str, company: str, last: int) -> list[dict[str, object]]:
    from tasks.rules.stored_plans.export import plan_facts
    from tasks.shared.connections import open_ledger, shared_connections

    send_no_events()
    async with shared_connections(read_only=True, ledger=ledger), open_ledger() as database:
        now = await database.now()
        return [plan_facts(each, now) for each in await database.plans.newest(last, company=company)]


_TOLD = {"created": "to create", "modified": "to modify", "updated": "to update", "steps": "to put back"}
"""What a plan writes, by the names of its counts."""


def _told(facts: dict[str, object]) -> str:
    counts = facts["counts"] if isinstance(facts["counts"], dict) else {}
    told = ", ".join(f"{counts[name]} {words}" for name, words in _TOLD.items() if name in counts)
    whose = f"{facts['feature']}, {facts['company']}"
    return f"{facts['id']}  {facts['made_at']}  {facts['state']:8} {whose}: {told}"


async def _write(ledger: str, typed: str, form: PlanForm, kind: int | None, stream: TextIO) -> None:
    """Read the plan twice, once for its kinds of change: it may be larger than memory."""
    from tasks.rules.stored_plans.entries import entry_of
    from tasks.rules.stored_plans.export import FORMATS
    from tasks.rules.stored_plans.summary import KindNumbers, PlanTally
    from tasks.shared.connections import open_ledger, shared_connections
    from tasks.shared.stored_plans import find_plan

    send_no_events()
    shown, tally = FORMATS[form.value](), PlanTally()
    async with shared_connections(read_only=True, ledger=ledger), open_ledger() as database:
        plan: StoredPlan = await find_plan(database, typed)
        async for each in database.plans.entries(plan):
            tally.entry(entry_of(each))
        kinds = KindNumbers(tally)
        if kind is not None and kind > len(kinds.lines):
            raise CommandError(f"{plan.id} has {len(kinds.lines)} kinds of change.", ExitCode.USAGE)
        stream.write(shown.head(plan, tally, await database.now()))
        async for each in database.plans.entries(plan):
            entry = entry_of(each)
            if kind is None or kind in kinds.of(entry):
                stream.write(shown.entry(entry))
    stream.write(shown.end())
    stream.flush()


def flow_of_plan(ledger: str | None, what: str | None) -> tuple[str, dict[str, str]]:
    """The flow that made the plan, whose deployment has its name, and the connections that the plan names.

    Empty where no plan is meant.
    """
    if not what or not PLAN_ID.fullmatch(what.strip()):
        return "", {}
    with _failures_in_words():
        return asyncio.run(_flow_of(ledger or DEFAULT_LEDGER, what))


async def _flow_of(ledger: str, typed: str) -> tuple[str, dict[str, str]]:
    from tasks.shared.connections import open_ledger, shared_connections
    from tasks.shared.stored_plans import find_plan

    send_no_events()
    async with shared_connections(read_only=True, ledger=ledger), open_ledger() as database:
        head = (await find_plan(database, typed)).head
    named = {name: head.settings.get(name) for name in ("connectwise", "lansweeper")}
    return head.feature, {name: str(block) for name, block in named.items() if block}


def applied_settings(what: str | None, rest: bool) -> tuple[str | None, dict[str, Any], str]:
    """The company, the settings and the words of what ``apply`` was given."""
    if what and PLAN_ID.fullmatch(what.strip()):
        # The company is the plan's, whatever the deployment's defaults say.
        of_plan = {"plan": what.strip(), "drift": "rest" if rest else "refuse", "company": ASK}
        return None, of_plan, what.strip()
    if rest:
        raise CommandError("--rest goes with a plan's id, such as plan-1a2b3c4d5e6f.", ExitCode.USAGE)
    return what, {}, f"for the company {what}" if what else "for the deployment's company"
