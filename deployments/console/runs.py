"""Commands that are runs of deployments: check, plan, apply, undo; and report, which shows others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.console.outcome import Outcome, findings_of, summary_of
from deployments.console.output import (
    CommandError,
    ExitCode,
    JsonOption,
    Output,
    YesOption,
    command_output,
    end,
)
from deployments.console.plans import (
    DeploymentOfPlanOption,
    PlanOrCompanyArgument,
    RestOption,
    applied_settings,
    flow_of_plan,
)
from deployments.console.server import prefect_server
from tasks.rules.asset_sync.matching.decisions import Decision
from tasks.rules.choices import ASK
from tasks.rules.modes import DRY_RUN, MODE, RunMode

if TYPE_CHECKING:
    from prefect.client.schemas.responses import DeploymentResponse

    from deployments.console.following import FollowedRun

ASSETS, TICKETS = "asset-synchronization", "tickets-agreements-sla-sync"
CHECK, UNDO, LINK = "check-connections", "undo-run", "link-configuration"
"""Names of flows, and of the deployments that bootstrap makes of them."""
CHECK_KEY = "check-connections"
BAD = ("Missing", "Failed")

WaitOption = Annotated[
    float,
    typer.Option(
        "--wait", min=0, metavar="SECONDS", help="Seconds to wait for the end; 0: start it and end."
    ),
]
CompanyArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[COMPANY]",
        help="Identifier of the ConnectWise company. Usual: the one of the deployment's defaults.",
    ),
]
DeploymentOption = Annotated[
    str,
    typer.Option(
        "--deployment",
        "-d",
        metavar="NAME",
        help=f"Deployment to run: {ASSETS}, {TICKETS}, or your own of these.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="A setting of the run's form as PATH=VALUE, such as ceilings.go_on=true; may be repeated.",
    ),
]
ConnectWiseOption = Annotated[
    str | None, typer.Option("--connectwise", metavar="NAME", help="Name of the ConnectWise block.")
]
LansweeperOption = Annotated[
    str | None, typer.Option("--lansweeper", metavar="NAME", help="Name of the Lansweeper block.")
]
LedgerOption = Annotated[
    str | None, typer.Option("--ledger", metavar="NAME", help="Name of the Ledger Database block.")
]
WAIT = 3600.0


def check(wait: WaitOption = WAIT, as_json: JsonOption = False) -> None:
    """Run check-connections and print what it found: logins, rights, custom fields, budgets, rules.

    Nothing is written. Ends with 3 if something that the flows need is missing.

    \b
    Examples:
      connectwise-flows check
      connectwise-flows check --json | jq '.findings[] | select(.result != "OK")'
    """
    with command_output(as_json) as out, prefect_server():
        done = asyncio.run(_run_deployment(out, CHECK, lambda _: {}, wait))
        findings = findings_of(done.table(CHECK_KEY) or [])
        bad = sum(each["result"] in BAD for each in findings)
        lines = [
            f"{each['result']:8} {each['connection']}: {each['check']}. {each['details']}"
            for each in findings
        ]
        out.result(done.document() | {"findings": findings}, "\n".join([*lines, _verdict(done, bad)]))
        end(_code(done, wait))


def _verdict(done: FollowedRun, bad: int) -> str:
    return f"{done.state.name}: {bad} with something to do. {done.url}"


def plan(
    company: CompanyArgument = None,
    deployment: DeploymentOption = ASSETS,
    settings: SetOption = None,
    connectwise: ConnectWiseOption = None,
    lansweeper: LansweeperOption = None,
    ledger: LedgerOption = None,
    wait: WaitOption = WAIT,
    as_json: JsonOption = False,
) -> None:
    """Make a dry run for a company and print the top of its plan; nothing is written at any vendor.

    Settings are those of the deployment's defaults; --set changes some for this run. Every record
    is shown by "connectwise-flows plans show" with the id that the plan says. Ends with 3 if a real run would
    be refused.

    \b
    Examples:
      connectwise-flows plan BlueLightCo
      connectwise-flows plan BlueLightCo --deployment tickets-agreements-sla-sync
      connectwise-flows plan BlueLightCo --set write_mode=patch --set ceilings.modified=0.8
      connectwise-flows plan BlueLightCo --json | jq .counts
    """
    blocks = _given(connectwise=connectwise, lansweeper=lansweeper, ledger=ledger)
    with command_output(as_json) as out, prefect_server():
        changes = _changes(settings, company, RunMode.PLAN)
        done = asyncio.run(_run_deployment(out, deployment, lambda each: _form(each, changes, blocks), wait))
        _show_run(out, done, wait)


def apply(
    what: PlanOrCompanyArgument = None,
    deployment: DeploymentOfPlanOption = None,
    rest: RestOption = False,
    settings: SetOption = None,
    connectwise: ConnectWiseOption = None,
    lansweeper: LansweeperOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
    wait: WaitOption = WAIT,
    as_json: JsonOption = False,
) -> None:
    """Write a stored plan, or make a real run for a company, within the ceilings, and print its report.

    With a plan's id only the records of that plan are written, and only if each is still decided as it was:
    where one changed since, nothing is written and it is named, or with --rest the others are. With a company
    it plans anew. It asks before it starts. Ends with 3 if the run refused to write (nothing was written), or
    if single records failed (the others were written).

    \b
    Examples:
      connectwise-flows apply plan-1a2b3c4d5e6f
      connectwise-flows apply BlueLightCo
      connectwise-flows apply BlueLightCo --yes --json > report.json
      connectwise-flows apply BlueLightCo --set only_failed=RUN-ID
    """
    blocks = _given(connectwise=connectwise, lansweeper=lansweeper, ledger=ledger)
    with command_output(as_json) as out, prefect_server() as server:
        company, of_plan, whom = applied_settings(what, rest)
        flow, named = ("", {}) if deployment else flow_of_plan(ledger, what)
        deployment, blocks = deployment or flow or ASSETS, named | blocks
        changes = _changes(settings, company, RunMode.APPLY) | of_plan
        out.confirm(f"Write {whom} with {deployment} at {server}?", yes=yes)
        done = asyncio.run(_run_deployment(out, deployment, lambda each: _form(each, changes, blocks), wait))
        _show_run(out, done, wait)


def undo(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id of the flow run to undo, as its report shows it.")
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Carry it out; without it, it is only shown.")
    ] = False,
    connectwise: ConnectWiseOption = None,
    lansweeper: LansweeperOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
    wait: WaitOption = WAIT,
    as_json: JsonOption = False,
) -> None:
    """Show what undoing a run would put back and delete; with --write do it.

    Connections are those of the undone run, where Prefect still knows it. What somebody changed since is left
    as it is: then it ends with 3.

    \b
    Examples:
      connectwise-flows undo 0b7c6e0e-3c1f-4b61-a3a3-5fd1a1b2c3d4
      connectwise-flows undo 0b7c6e0e-3c1f-4b61-a3a3-5fd1a1b2c3d4 --write
    """
    given = _given(connectwise=connectwise, lansweeper=lansweeper, ledger=ledger)
    with command_output(as_json) as out, prefect_server() as server:
        if write:
            out.confirm(f"Undo the run {run} at {server}?", yes=yes)
        done = asyncio.run(_undo(out, run.strip(), given, wait, dry_run=not write))
        _show_run(out, done, wait)


def link(
    company: Annotated[str, typer.Argument(metavar="COMPANY", help="Identifier of the ConnectWise company.")],
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="Lansweeper's key of the asset.")],
    configuration: Annotated[
        int | None, typer.Argument(metavar="[CONFIGURATION]", help="ConnectWise's id of the configuration.")
    ] = None,
    decision: Annotated[
        Decision,
        typer.Option(
            "--decision",
            help="link: this asset is that configuration. unlink: take that link away. never: never these "
            "two. ignore: write nothing of this asset. withdraw: drop what was decided.",
        ),
    ] = Decision.LINK,
    move: Annotated[
        bool, typer.Option("--move", help="Take away another link of the asset or the configuration.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Keep and write it; without it, it is only shown.")
    ] = False,
    connectwise: ConnectWiseOption = None,
    lansweeper: LansweeperOption = None,
    ledger: LedgerOption = None,
    yes: YesOption = False,
    wait: WaitOption = WAIT,
    as_json: JsonOption = False,
) -> None:
    """Decide about a match: show what a decision would write; with --write keep and write it.

    Later runs of asset-synchronization honour the decision before all keys. "connectwise-flows undo RUN"
    takes a link back.

    \b
    Examples:
      connectwise-flows link BlueLightCo ASSET-KEY 1204
      connectwise-flows link BlueLightCo ASSET-KEY 1204 --write
      connectwise-flows link BlueLightCo ASSET-KEY --decision ignore --write
      connectwise-flows link BlueLightCo ASSET-KEY --decision withdraw --write
    """
    blocks = _given(connectwise=connectwise, lansweeper=lansweeper, ledger=ledger)
    form = {
        "company": company,
        "asset_key": asset,
        "decision": decision.value,
        "configuration_id": configuration,
        "move": move,
        "dry_run": not write,
        **blocks,
    }
    with command_output(as_json) as out, prefect_server() as server:
        if write:
            out.confirm(f"Keep the decision {decision.value} on {asset} at {server}?", yes=yes)
        done = asyncio.run(_run_deployment(out, LINK, lambda _: form, wait))
        _show_run(out, done, wait)


def report(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Id of a run. Usual: the last run.")
    ] = None,
    flow: Annotated[
        list[str] | None,
        typer.Option(
            "--flow",
            "-f",
            metavar="NAME",
            help=f"Flow whose last run is shown; may be repeated. Usual: {ASSETS}, {TICKETS}.",
        ),
    ] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=100, metavar="N", help="So many runs.")] = 1,
    everything: Annotated[
        bool, typer.Option("--all", help="Every artifact of the run, the plan too, not its report alone.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a run, or the last runs, published: the report, or where there is none the plan.

    The exit code says whether there was something to show, not how the run ended.

    \b
    Examples:
      connectwise-flows report
      connectwise-flows report 0b7c6e0e-3c1f-4b61-a3a3-5fd1a1b2c3d4 --all
      connectwise-flows report --flow dispatch-sweep --last 5
      connectwise-flows report --json | jq '.runs[0].counts'
    """
    with command_output(as_json) as out, prefect_server():
        found = asyncio.run(_runs(run, flow or [ASSETS, TICKETS], last))
        if not found:
            what = f"no run {run}" if run else f"no run of {', '.join(flow or [ASSETS, TICKETS])} yet"
            raise CommandError(f"Prefect knows {what}.")
        text = "\n\n".join(_published(each, everything) for each in found)
        out.markdown({"runs": [each.document() for each in found]}, text)


def _changes(assignments: Sequence[str] | None, company: str | None, mode: RunMode) -> dict[str, Any]:
    """The settings that a run has in place of its deployment's defaults."""
    changes = read_assignments(assignments or [])
    return changes | ({"company": company} if company else {}) | {MODE: mode.value}


def read_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """``a.b=value`` as nested settings; a value that is JSON counts as such, any other is a text.

    Raises:
        CommandError: one has no ``=`` or no path, or sets something within a value.
    """
    found: dict[str, Any] = {}
    for each in assignments:
        path, equals, text = each.partition("=")
        names = path.strip().split(".")
        if not equals or not all(names):
            raise CommandError(f"--set takes PATH=VALUE, not {each!r}.", ExitCode.USAGE)
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        place = found
        for name in names[:-1]:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise CommandError(f"--set {each!r} sets something within a value.", ExitCode.USAGE)
        place[names[-1]] = value
    return found


def laid_over(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the changes in them; what is within a setting and not changed stays."""
    merged = dict(settings)
    for name, change in changes.items():
        old = merged.get(name)
        both = isinstance(old, Mapping) and isinstance(change, Mapping)
        merged[name] = laid_over(old, change) if both else change  # type: ignore[arg-type]
    return merged


def _given(**blocks: str | None) -> dict[str, str]:
    return {name: value for name, value in blocks.items() if value}


def _form(
    deployment: DeploymentResponse, changes: Mapping[str, Any], blocks: Mapping[str, str]
) -> dict[str, Any]:
    """The run's form. Whole, since Prefect would put given settings in place of all those of the deployment.

    Raises:
        CommandError: the deployment is of another flow, or nobody says which company is meant.
    """
    inputs = (deployment.parameter_openapi_schema or {}).get("properties", {})
    if "settings" not in inputs and "plan" in inputs and changes.get("plan"):
        given = {name: value for name, value in changes.items() if name in inputs}
        return {**given, DRY_RUN: changes[MODE] == RunMode.PLAN, **blocks}
    if "settings" not in inputs:
        raise CommandError(f"{deployment.name} has no plan of this kind.", ExitCode.USAGE)
    defaults = dict(deployment.parameters.get("settings") or {})
    # The word of earlier versions for what the command decides.
    defaults.pop(DRY_RUN, None)
    settings = laid_over(defaults, changes)
    named = str(settings.get("company") or "").strip() not in ("", ASK)
    if not named and not settings.get("plan"):
        raise CommandError(f"Name a company: the defaults of {deployment.name} have none.", ExitCode.USAGE)
    return {"settings": settings, **blocks}


async def _run_deployment(out: Output, name: str, form: Any, wait: float) -> FollowedRun:
    """Run a deployment with what ``form`` makes of it, and follow it."""
    from prefect import get_client

    from deployments.console.following import find_deployment, follow, start_run

    deployment = await find_deployment(name)
    async with get_client() as client:
        started = await start_run(client, deployment, form(deployment), out)
        return await follow(client, started, wait, out) if wait else started


async def _undo(
    out: Output, run_id: str, given: Mapping[str, str], wait: float, *, dry_run: bool
) -> FollowedRun:
    from prefect import get_client

    from deployments.console.following import find_run

    async with get_client() as client:
        undone = await find_run(client, run_id)
    known = undone.parameters if undone else {}
    blocks = {name: known[name] for name in ("connectwise", "ledger") if known.get(name)} | dict(given)
    # Both, since one of them may be among the deployment's defaults.
    form = {"run_id": run_id, MODE: "plan" if dry_run else "apply", DRY_RUN: dry_run, **blocks}
    return await _run_deployment(out, UNDO, lambda _: form, wait)


async def _runs(run_id: str | None, flows: Sequence[str], count: int) -> list[FollowedRun]:
    from prefect import get_client

    from deployments.console.following import find_run, last_runs, with_artifacts

    async with get_client() as client:
        if run_id is None:
            found = await last_runs(client, flows, count)
        else:
            one = await find_run(client, run_id.strip())
            found = [one] if one else []
        return [await with_artifacts(client, each) for each in found]


def _show_run(out: Output, done: FollowedRun, wait: float) -> None:
    """The top of what the run published, how it ended and where all of it is; ends the command."""
    from deployments.console.following import PLAN, REPORT

    planned = done.run.parameters.get("settings", {}).get(MODE) == RunMode.PLAN
    # The newest last: an undo shows its plan, and then the same with what became of it.
    shown = done.documents(PLAN if planned else REPORT) or done.documents()
    texts = [summary_of(each) for each in shown[-1:]]
    state = done.state
    message = f": {state.message}" if state.message else ""
    texts += [
        f"Run {state.name}{message} (outcome: {done.outcome})",
        f"All of it: connectwise-flows report {done.run.id} --all\n\n{done.url}",
    ]
    out.markdown(done.document(), "\n\n".join(texts))
    end(_code(done, wait))


def _published(done: FollowedRun, everything: bool) -> str:
    from deployments.console.following import REPORT

    state, run = done.state, done.run
    when = f"{run.start_time.astimezone():%Y-%m-%d %H:%M}" if run.start_time else "not started"
    head = f"{done.flow}, run {run.name} ({run.id}), {when}: {state.name}\n\n{done.url}"
    documents = done.documents() if everything else (done.documents(REPORT) or done.documents())[:1]
    return "\n\n".join([head, *(documents or [state.message or "It published nothing."])])


def _code(done: FollowedRun, wait: float) -> ExitCode:
    if not wait and done.outcome is Outcome.RUNNING:
        return ExitCode.DONE
    return done.outcome.code
