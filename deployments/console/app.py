"""The commands of ``connectwise-flows`` under their names, and where their errors end."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from deployments.console import plans, programs, rules, runs
from deployments.console.output import EXIT_CODES, CommandError, ExitCode

HELP = f"""Connects ConnectWise PSA, Lansweeper and Field Nation with flows on Prefect.

\b
A trial on this machine:
  connectwise-flows up                     sandbox, Prefect UI, worker and deployments
  connectwise-flows check                  in another terminal: are the connections right
  connectwise-flows plan BlueLightCo       what a run would write
  connectwise-flows apply BlueLightCo      write it
  connectwise-flows report                 what the last run did

check, plan, plans, apply, report, undo and rules speak to the Prefect server that PREFECT_API_URL or
Prefect's profile names, and without one to that of a running "connectwise-flows up".

{EXIT_CODES}"""


class ConsoleGroup(TyperGroup):
    """Ends a command whose error is a sentence for the user with that sentence and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(int(error.code)) from error
        except KeyboardInterrupt:
            raise typer.Exit(int(ExitCode.INTERRUPTED)) from None


def show_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(version("connectwise-flows"))
        except PackageNotFoundError:
            typer.echo("not installed")
        raise typer.Exit


app = typer.Typer(
    name="connectwise-flows",
    help=HELP,
    cls=ConsoleGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="The version, and end.")
    ] = False,
) -> None:
    pass


COMMANDS: dict[str, tuple[Any, str]] = {
    "up": (programs.up, "Sandbox, Prefect server, worker and deployments, for a trial."),
    "demo": (programs.demo, "The flows on a sandbox, from nothing to a report."),
    "check": (runs.check, "Are connections, rights, custom fields and rules right?"),
    "plan": (runs.plan, "What would a run write? A dry run for a company."),
    "apply": (runs.apply, "A real run for a company; asks first."),
    "report": (runs.report, "What the last run, or a certain one, reported."),
    "link": (runs.link, "This asset is that configuration: decide, or take it back."),
    "undo": (runs.undo, "Put back what a run wrote; shows it first."),
    "bootstrap": (programs.bootstrap, "Make a Prefect server ready: blocks, pool, deployments."),
    "serve": (programs.serve, "Run every deployment here, without a worker."),
    "receiver": (programs.receiver, "Take the vendors' callbacks and webhooks."),
    "sandbox": (programs.sandbox, "The vendors on loopback alone."),
    "fuzz": (programs.fuzz, "Inputs that nobody should send; in a checkout only."),
}
"""Every command with its line in the list, in the order in which people come to need them."""
PASSED_ON: dict[str, dict[str, Any]] = {
    # Its own --help has the options.
    "sandbox": {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    "fuzz": {"ignore_unknown_options": True, "allow_extra_args": True},
}
"""Context settings of commands that pass their options on to another program."""

for name, (command, line) in COMMANDS.items():
    settings = PASSED_ON.get(name)
    app.command(name, short_help=line, epilog=EXIT_CODES, context_settings=settings)(command)
app.add_typer(plans.app, name="plans", short_help="Stored plans: list them, show one whole.")
app.add_typer(rules.app, name="rules", short_help="Rules as files: export, import, check.")
