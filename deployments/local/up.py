"""``make up``: sandbox, Prefect server, worker and deployments on this machine, until it is stopped.

Prints the address of the Prefect UI. Everything it keeps lies under ``build/up`` of the checkout, for an
installed package in the folder for the user's data, or in the folder that the environment variable
CONNECTWISE_FLOWS_UP_HOME names, so that two can run side by side; the user's own Prefect is not touched.
Ctrl-C, or SIGTERM, stops all of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from deployments import ROOT, console_command
from deployments.local.prefect import LocalPrefect, local_prefect, stop
from deployments.local.running import AlreadyRunningError, home_folder, noted_server, refuse_second
from deployments.local.sandbox import TRIAL_BOARD, TRIAL_STATUS, Sandbox, start_sandbox

POOL = "connectwise"
TRIAL_DATE = "2030-01-15T15:00:00Z"
"""When the work of the ticket is due that dispatch is tried with."""


Announce = Callable[[LocalPrefect, Sandbox], None]
"""Says where everything is, once it runs."""


def main() -> int:
    console = Console(highlight=False)
    try:
        run_stack(home_folder(os.environ), console, lambda *started: tell(console, *started))
    except AlreadyRunningError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run_stack(home: Path, console: Console, announce: Announce) -> None:
    """Start everything, announce it, and stop it on SIGINT or SIGTERM. Files lie in ``home``.

    Raises:
        AlreadyRunningError: a stack runs there; nothing was started.
        RuntimeError: a part did not start, or the worker ended by itself; the text has the end of its log.
    """
    refuse_second(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / "worker.log").unlink(missing_ok=True)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    console.print("Starting the sandbox and the Prefect server ...")
    with start_sandbox("--seed", "7", "--assets", "400") as sandbox, local_prefect(home) as prefect:
        console.print("Saving the blocks and making the deployments ...")
        set_up(prefect, sandbox)
        with worker(prefect) as process, noted_server(home, prefect.api_url):
            announce(prefect, sandbox)
            wait(stopped, process, home)
            console.print("Stopping ...")


def set_up(prefect: LocalPrefect, sandbox: Sandbox) -> None:
    """Blocks for the sandbox, then everything that a Prefect server needs for these flows; repeatable."""
    save_blocks(prefect, sandbox)
    run(prefect, "-m", "deployments.bootstrap")


def save_blocks(prefect: LocalPrefect, sandbox: Sandbox) -> None:
    """The connections to the sandbox, the ledger and rules of dispatch, each named ``default``."""
    run(prefect, "-m", "deployments.blocks", str(prefect.home / "ledger.db"), json.dumps(sandbox.info))


def run(prefect: LocalPrefect, *arguments: str) -> None:
    """Run Python with Prefect's settings; its output is shown only if it fails."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments], cwd=ROOT, env=dict(prefect.environment), capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:4])} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


@contextmanager
def worker(prefect: LocalPrefect) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    with (prefect.home / "worker.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=dict(prefect.environment), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            # A worker takes the first signal as a wish to finish its runs and the second as an order.
            process.terminate()
            stop(process)


def tell(console: Console, prefect: LocalPrefect, sandbox: Sandbox) -> None:
    console.print(f"\nPrefect UI:      {prefect.ui_url}")
    console.print(f"Deployments:     {prefect.ui_url}/deployments")
    console.print(f"Sandbox control: {sandbox.info['control']}/requests")
    console.print(f"Try: run asset-synchronization for the company {sandbox.company}, first as a dry run.")
    ticket = trial_ticket(sandbox)
    if ticket is not None:
        console.print(
            f"Try dispatch: run preview-work-order for the service ticket {ticket}, then dispatch-work-order "
            "in the mode apply; it becomes a draft at the sandbox's Field Nation."
        )
    console.print(
        f"Or in another terminal: {console_command()} check; {console_command()} plan {sandbox.company}"
    )
    console.print(f"Logs: {prefect.home}/server.log and worker.log. Ctrl-C stops everything.\n")


def trial_ticket(sandbox: Sandbox) -> int | None:
    """An open service ticket of the board that the trial's rules name, in their status by now."""
    statuses = sandbox.state("service/boards/statuses")
    for each in sandbox.state("service/tickets"):
        board = each.get("board") or {}
        if board.get("name") == TRIAL_BOARD and not each.get("closedFlag"):
            wanted = (TRIAL_STATUS, board["id"])
            status = next(one["id"] for one in statuses if (one["name"], one["board"]["id"]) == wanted)
            changes = {"status": {"id": status}, "requiredDate": TRIAL_DATE}
            sandbox.edit("service/tickets", each["id"], changes)
            return int(each["id"])
    return None


def wait(stopped: threading.Event, process: subprocess.Popen[bytes], home: Path) -> None:
    """Until a signal comes, or the worker ends by itself."""
    while not stopped.wait(1.0):
        if process.poll() is not None:
            raise RuntimeError(f"The worker ended with exit code {process.returncode}; see {home}/worker.log")


if __name__ == "__main__":
    sys.exit(main())
