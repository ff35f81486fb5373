"""``make demo``: a sandbox, a Prefect server of our own, and three runs of asset-synchronization.

Shows a dry run that writes nothing, the real run, and a second real run that finds nothing to do. Prints the
counts of each as a table and writes them to ``demo.json``, in a checkout under ``build/``.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from deployments import BUILD, console_command
from deployments.local.prefect import LocalPrefect, local_prefect, send_what_is_queued, speak_to
from deployments.local.sandbox import Sandbox, start_sandbox

ASSETS = 400
SEED = 7
PLAN_LINES = 45
COUNTS = ("read", "created", "modified", "unchanged", "ambiguous", "skipped", "failed")
RUNS = {"dry_run": "Dry run", "first": "First run", "second": "Second run"}


def main() -> int:
    """Run the demo; the exit code says whether what it shows is as promised."""
    return 1 if broken_promises(run_demo(BUILD, Console())) else 0


def run_demo(build: Path, console: Console) -> dict[str, dict[str, int]]:
    """The demo in the folder ``demo`` under ``build``; returns its figures, which ``demo.json`` has too."""
    home = build / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    console.print(
        f"Starting a sandbox with {ASSETS} Lansweeper assets and a Prefect server on this machine ..."
    )
    arguments = ("--seed", str(SEED), "--assets", str(ASSETS))
    with start_sandbox(*arguments) as sandbox, local_prefect(home) as prefect:
        speak_to(prefect)
        console.print(f"Prefect UI, until the demo ends: {prefect.ui_url}")
        figures = asyncio.run(_three_runs(sandbox, home, console))
        send_what_is_queued()
        _show_plan(console, prefect)
    written = build / "demo.json"
    written.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    _show(console, figures)
    console.print(f"Written to {written}. Next: {console_command()} up, and open the Prefect UI.")
    for problem in broken_promises(figures):
        console.print(f"[red]{problem}[/red]")
    return figures


async def _three_runs(sandbox: Sandbox, home: Path, console: Console) -> dict[str, dict[str, int]]:
    from deployments.blocks import save_sandbox_blocks

    await save_sandbox_blocks(sandbox.info, home / "ledger.db")
    figures = {}
    for name, title in RUNS.items():
        console.rule(title)
        figures[name] = await _run(sandbox, dry_run=name == "dry_run")
    return figures


async def _run(sandbox: Sandbox, *, dry_run: bool) -> dict[str, int]:
    """One run of the flow, and what the sandbox counted meanwhile."""
    from flows.asset_synchronization import asset_synchronization
    from tasks.asset_sync.settings import AssetSynchronizationSettings
    from tasks.rules.asset_sync.safety import SafetyThresholds
    from tasks.rules.modes import RunMode

    sandbox.clear_requests()
    settings = AssetSynchronizationSettings(
        company=sandbox.company,
        mode=RunMode.PLAN if dry_run else RunMode.APPLY,
        # The first run adopts configurations that people made by hand, so it changes most of them: an
        # operator reads the dry run's plan, then says so.
        ceilings=SafetyThresholds(go_on=True),
    )
    report = await asset_synchronization(settings)
    served = sandbox.requests()
    counts: dict[str, int] = report.counts.as_dict()
    return counts | {"requests": served["total"], "writes": served["writes"]}


def _show_plan(console: Console, prefect: LocalPrefect) -> None:
    """The beginning of the dry run's plan, as the Prefect UI shows it whole."""
    body = {"artifacts": {"key": {"any_": ["asset-synchronization-plan"]}}, "sort": "CREATED_DESC"}
    answer = httpx.post(f"{prefect.api_url}/artifacts/filter", json=body).raise_for_status()
    lines = str(answer.json()[-1]["data"]).splitlines()
    console.rule("The dry run's plan (its first lines; the Prefect UI shows all of it)")
    console.print(Markdown("\n".join(lines[:PLAN_LINES])))


def broken_promises(figures: dict[str, dict[str, int]]) -> list[str]:
    problems = [
        f"{RUNS[name]}: the counts do not add up to the {run['read']} assets read."
        for name, run in figures.items()
        if run["read"] != sum(run[each] for each in COUNTS[1:])
    ]
    if figures["dry_run"]["writes"]:
        problems.append("The dry run sent write requests.")
    if figures["second"]["writes"]:
        problems.append("The second run sent write requests though nothing had changed.")
    if any(run["failed"] for run in figures.values()):
        problems.append("Some assets failed.")
    return problems


def _show(console: Console, figures: dict[str, dict[str, Any]]) -> None:
    table = Table(title="Asset synchronization, Lansweeper to ConnectWise PSA (sandbox)")
    table.add_column("")
    for title in RUNS.values():
        table.add_column(title, justify="right")
    for row in (*COUNTS, "requests", "writes"):
        table.add_row(row.capitalize(), *(f"{figures[name][row]:,}" for name in RUNS))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
