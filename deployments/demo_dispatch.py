"""``make demo-dispatch``: a ticket becomes a work order through a real callback, and comes back step by step.

Starts the sandbox's scenario ``dispatch``, a Prefect server, the receiver and the served deployment of
dispatch-inbox, all on this machine. Nothing but HTTP goes between them. Writes ``build/demo-dispatch.json``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
import uuid
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from deployments.dispatch_story import PUBLISHED, Figures, show
from deployments.local_prefect import local_prefect, send_what_is_queued
from deployments.local_receiver import LocalReceiver, local_inbox, local_receiver, receiver_environment
from deployments.local_sandbox import Sandbox, start_sandbox

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
SOON = 15.0
"""Seconds within which a ticket must have become a work order."""


def main() -> int:
    """Run the demo; the exit code says whether what it shows is as promised."""
    started = time.monotonic()
    home = BUILD / "demo-dispatch"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    console = Console(highlight=False)
    console.print("Starting a sandbox of ConnectWise and Field Nation, a Prefect server and the receiver ...")
    secret = str(uuid.uuid4())
    with start_sandbox("--seed", "7", "--assets", "2", "--scenario", "dispatch") as sandbox:
        environment = receiver_environment(sandbox.info, secret, home / "ledger.db")
        with (
            local_prefect(home) as prefect,
            local_receiver(environment, home / "receiver.log") as receiver,
        ):
            # Prefect reads its settings when it is imported, so the flows are imported after this.
            os.environ.update(prefect.environment)
            asyncio.run(set_up(sandbox, receiver, secret, home / "ledger.db"))
            send_what_is_queued()
            with local_inbox(prefect, home / "inbox.log"):
                figures = show(console, sandbox, prefect, receiver)
    figures["seconds"]["whole demo"] = round(time.monotonic() - started, 1)
    (BUILD / "demo-dispatch.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    tell(console, figures)
    problems = broken_promises(figures)
    for problem in problems:
        console.print(f"[red]{problem}[/red]")
    return 1 if problems else 0


async def set_up(sandbox: Sandbox, receiver: LocalReceiver, secret: str, ledger: Path) -> None:
    """The blocks, the rules, and the receiver's address at both vendors."""
    from deployments.blocks import save_field_nation_block, save_sandbox_blocks
    from flows.register_callbacks import register_callbacks
    from tasks.dispatch.block import DispatchRules
    from tasks.dispatch.outbound import OutboundAction, OutboundRule, WorkOrderEvent, default_outbound_rules
    from tasks.dispatch.settings import CreateState, DispatchSettings, WorkOrderDefaults

    await save_sandbox_blocks(sandbox.info, ledger)
    await save_field_nation_block(sandbox.info, secret)
    time_entry = OutboundRule(event=WorkOrderEvent.COMPLETED, action=OutboundAction.ADD_TIME_ENTRY)
    rules = DispatchSettings(
        create_state=CreateState.PUBLISH,
        work_orders=WorkOrderDefaults(type_of_work_id=103, pay_type="fixed", pay_amount=150, pay_units=1),
        outbound_rules=[*default_outbound_rules(), time_entry],
    )
    await DispatchRules(rules=rules).save("default", overwrite=True)
    await register_callbacks(receiver.address, dry_run=False)


def broken_promises(figures: Figures) -> list[str]:
    """What the demo should have shown and did not."""
    once = (
        "work_orders",
        "internal_notes_of_the_completion",
        "time_entries",
        "desk_note_at_field_nation",
        "provider_message_at_connectwise",
    )
    problems = [f"{name}: {figures[name]} instead of 1." for name in once if figures[name] != 1]
    if figures["ticket_status"] != "Completed" or not figures["custom_field"]:
        problems.append("The ticket did not get its status or its custom field.")
    if figures["seconds"][PUBLISHED] > SOON:
        problems.append(f"The work order took longer than {SOON:.0f} s.")
    if figures["receiver"].get("refused", 0) < 2 or figures["receiver"].get("duplicates", 0) < 1:
        problems.append("A forged or replayed callback was not refused.")
    return problems


def tell(console: Console, figures: Figures) -> None:
    """The counts as a table."""
    table = Table(title="Dispatch, ConnectWise PSA to Field Nation and back (sandbox)", show_header=False)
    for name, value in figures.items():
        if not isinstance(value, dict):
            table.add_row(name.replace("_", " ").capitalize(), str(value))
    for group in ("receiver", "requests", "seconds"):
        for name, value in figures[group].items():
            table.add_row(f"{group.capitalize()}: {name.replace('_', ' ')}", str(value))
    console.print(table)
    console.print(f"Written to {(BUILD / 'demo-dispatch.json').relative_to(ROOT)}.")


if __name__ == "__main__":
    sys.exit(main())
