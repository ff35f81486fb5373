"""``make campaign-dispatch``: 300 tickets through a storm, and what is true of them afterwards.

Two dispatch processes, killed with SIGKILL at drawn requests and started again, work against the sandbox
while callbacks and webhooks are doubled, reordered, lost and forged. Both vendors answer 429 and 5xx, drop
connections before and after the work or do it later; people write notes on both sides and providers go
through the life of their work orders. Then the weather clears, sweeps run, and the sandbox is asked what
there is. The seed decides all that is drawn; how requests of several processes interleave it can't decide.

``python -m benchmarks.dispatch_campaign [--seed N] [--tickets N]`` writes ``build/dispatch-campaign.json``
and ends with status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import shutil
import signal
import sys
from pathlib import Path

import anyio
from rich.console import Console

from benchmarks.campaign.campaign import Campaign
from benchmarks.campaign.showing import show
from benchmarks.programs import BUILD
from deployments.local.sandbox import start_sandbox

TICKETS = 300
SECONDS_A_TICKET = 0.6
"""How fast tickets come into the trigger."""


def run_campaign(seed: int, tickets: int, folder: Path, console: Console) -> list[str]:
    """Runs it in ``folder``, which is emptied; what was wrong, nothing if all was right."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with start_sandbox("--seed", "7", "--assets", "2", "--scenario", "dispatch") as sandbox:
        campaign = Campaign(sandbox, seed, tickets, folder, spread=tickets * SECONDS_A_TICKET)
        result = anyio.run(campaign.run, console.print)
    (folder / "result.json").write_text(json.dumps(result, indent=2), encoding="utf-8")
    show(console, result)
    return list(result["faults"])


def main() -> int:
    """The whole command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dispatch_campaign")
    parser.add_argument("--seed", type=int, help="replays the drawing of an earlier campaign")
    parser.add_argument("--tickets", type=int, default=TICKETS, help="tickets that come into the trigger")
    given = parser.parse_args()
    # As Ctrl-C does: the processes under test are ended too, and not left to work on by themselves.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=max(120, Console().width))
    # Of the people's own clients; the processes under test have files for their logs.
    logging.getLogger("connectors").setLevel(logging.ERROR)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    console.print(f"Seed {seed}: repeat with python -m benchmarks.dispatch_campaign --seed {seed}")
    folder = BUILD / "dispatch-campaign"
    faults = run_campaign(seed, given.tickets, folder, console)
    shutil.copy(folder / "result.json", BUILD / "dispatch-campaign.json")
    if faults:
        console.print(f"Seed {seed}: {len(faults)} things are wrong; logs are under {folder}", style="red")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
