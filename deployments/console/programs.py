"""Commands that start programs: the local stack, the demos, bootstrap, serve, receiver, sandbox, fuzz."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments import BUILD, IN_CHECKOUT, ROOT
from deployments.console.output import CommandError, ExitCode, JsonOption, command_output, end
from deployments.console.server import prefect_server

if TYPE_CHECKING:
    from rich.console import Console

    from deployments.local.prefect import LocalPrefect
    from deployments.local.sandbox import Sandbox
    from deployments.receiver.settings import ReceiverSettings

FUZZ_RESULT = ROOT / "build" / "fuzz.json"


def up(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder for databases, logs and answers; kept from one start to the next."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start a sandbox of the vendors, a Prefect server, a worker and all deployments; Ctrl-C stops them.

    For a trial: everything listens on 127.0.0.1 only, nothing touches a vendor or your own Prefect. It
    prints the address of the Prefect UI once the flows can be run. Files lie in build/up of a checkout, for
    an installed package in connectwise-flows/up among the user's data (~/.local/share), or where --data or
    CONNECTWISE_FLOWS_UP_HOME says.

    \b
    Examples:
      connectwise-flows up
      connectwise-flows up --data ./trial
      connectwise-flows up --json | jq -r .prefect_ui
    """
    from deployments.local.running import AlreadyRunningError, home_folder
    from deployments.local.up import run_stack, tell

    home = home_folder(os.environ, data)
    with command_output(as_json) as out:
        console = _console()

        def announce(prefect: LocalPrefect, sandbox: Sandbox) -> None:
            if as_json:
                out.result(_addresses(prefect, sandbox), "")
            else:
                tell(console, prefect, sandbox)

        try:
            run_stack(home, console, announce)
        except AlreadyRunningError as error:
            raise CommandError(str(error), ExitCode.USAGE) from error
        except (OSError, RuntimeError) as error:
            raise CommandError(str(error)) from error


def _addresses(prefect: LocalPrefect, sandbox: Sandbox) -> dict[str, Any]:
    return {
        "prefect_ui": prefect.ui_url,
        "prefect_api": prefect.api_url,
        "sandbox": sandbox.info["control"],
        "company": sandbox.company,
        "data": str(prefect.home),
    }


def _console() -> Console:
    """For what a program tells while it runs; long addresses are not broken."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def demo(
    dispatch: Annotated[
        bool, typer.Option("--dispatch", help="The demo of dispatch, not of assets.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder for what it makes; its folder of the same name is emptied.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the flows on a sandbox, from nothing to a report; one to three minutes.

    Of assets: a dry run, the real run, and a second run that finds nothing to do. Of dispatch: a ticket
    becomes a work order through a real callback and comes back step by step. The figures are written to
    demo.json or demo-dispatch.json, in a checkout under build/. Ends with 3 where they are not as promised.

    \b
    Examples:
      connectwise-flows demo
      connectwise-flows demo --dispatch
    """
    from deployments.local import demo as assets
    from deployments.local import demo_dispatch

    shown = demo_dispatch if dispatch else assets
    build = data.expanduser().resolve() if data else BUILD
    with command_output(as_json) as out:
        try:
            figures: Any = shown.run_demo(build, _console())
        except (OSError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        problems = shown.broken_promises(figures)
        if as_json:
            out.result({"figures": figures, "problems": problems}, "")
        end(ExitCode.FINDINGS if problems else ExitCode.DONE)


def bootstrap(as_json: JsonOption = False) -> None:
    """Make the Prefect server ready: blocks, work pool, automation, deployments. May be repeated.

    What people changed in the Prefect UI stays. Connections are saved from environment variables where they
    are set (CONNECTWISE_SITE, LANSWEEPER_ACCESS_TOKEN, ...).

    \b
    Example:
      PREFECT_API_URL=http://127.0.0.1:4200/api connectwise-flows bootstrap
    """
    with command_output(as_json) as out, prefect_server() as address:
        out.say(f"Prefect server: {address}")
        from connectors.installation import ShadowedPackageError
        from deployments.bootstrap import bootstrap as make_ready

        try:
            steps = asyncio.run(make_ready())
        except (ShadowedPackageError, ValueError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        out.result({"server": address, "steps": steps}, "\n".join(steps))


def serve(as_json: JsonOption = False) -> None:
    """Run every deployment in this process, without a worker; Ctrl-C ends it and pauses the schedules.

    For a laptop. While it runs the Prefect UI offers every flow, and schedules that are active fire.

    \b
    Example:
      PREFECT_API_URL=http://127.0.0.1:4200/api connectwise-flows serve
    """
    with command_output(as_json) as out, prefect_server() as address:
        out.say(f"Prefect server: {address}")
        from deployments.serve import main

        def announce(names: list[str]) -> None:
            out.result({"server": address, "deployments": names}, f"Serving {len(names)} deployments.")

        main(announce)


def receiver(as_json: JsonOption = False) -> None:
    """Take the vendors' callbacks and webhooks into the ledger's inbox, until SIGTERM or Ctrl-C.

    Set by environment variables (CONNECTWISE_FLOWS_RECEIVER_PORT, ..., see docs/operations.md); needs the
    ledger and no Prefect server. Ends with 78 where they are wrong, which systemd knows as "do not restart".

    \b
    Example:
      CONNECTWISE_FLOWS_RECEIVER_PORT=8460 connectwise-flows receiver
    """
    from deployments.receiver.server import main

    with command_output(as_json) as out:

        def announce(settings: ReceiverSettings) -> None:
            address = f"http://{settings.host}:{settings.port}"
            taken = {
                "connectwise": settings.connectwise is not None,
                "field_nation": bool(settings.webhook_secret),
            }
            out.result({"address": address, **taken}, f"Listening at {address}.")

        if code := main(announce):
            raise typer.Exit(code)


def sandbox(context: typer.Context) -> None:
    """Serve ConnectWise PSA, Lansweeper and Field Nation on loopback alone; --help lists the options."""
    # It knows no --json, since its first line is JSON anyway.
    options = [each for each in context.args if each != "--json"]
    # -P, so that no module of the current folder stands before ours; file names count from that folder.
    command = [sys.executable, "-P", "-m", "sandbox", *options]
    os.execv(sys.executable, command)  # noqa: S606


def fuzz(context: typer.Context, as_json: JsonOption = False) -> None:
    """Try inputs that no vendor and no person should send; in a checkout only. Ends with 1 on any problem.

    Options of the campaign: --seed N, --inputs N (of each target), --only NAME (receiver, ledger, rules,
    answers, wire, sandbox_requests), --seconds S (of each target), --input K (replay one of --only).

    \b
    Examples:
      connectwise-flows fuzz
      connectwise-flows fuzz --only receiver --seed 7 --input 42
    """
    command = [sys.executable, "-m", "benchmarks.fuzz", *context.args]
    with command_output(as_json) as out:
        if not IN_CHECKOUT:
            raise CommandError(
                "fuzz needs a checkout of the project: the campaigns are no part of the installed package.",
                ExitCode.USAGE,
            )
        done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr if as_json else None)  # noqa: S603
        if as_json and FUZZ_RESULT.exists():
            import json

            out.result(json.loads(FUZZ_RESULT.read_text(encoding="utf-8")), "")
        if done.returncode:
            raise typer.Exit(done.returncode)
