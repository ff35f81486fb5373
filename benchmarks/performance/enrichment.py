"""``make bench-enrichment``: requests of tickets-agreements-sla-sync by the ways that a server takes.

The requests are those that the sandbox counted, probes included. After every run each ticket's
configurations in the ledger and each asset's texts are compared with what the sandbox holds. Arguments such
as ``1500 20 500`` are other numbers of configurations, agreements and tickets.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from math import ceil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.performance.enrichment_model import check_ledger, check_texts
from benchmarks.performance.runner import BUILD, ROOM, connection, run_module
from deployments.local.prefect import LocalPrefect, local_prefect
from deployments.local.sandbox import Sandbox, start_sandbox
from tasks.shared.connections import DEFAULT

SIZES = (15_000, 200, 5_000)
CHURN = 0.01
"""Share of the tickets that change before the second run."""
ALIASES = 25
NOTHING: dict[str, Any] = {
    "agreement_report": False,
    "bundle_limit": 0,
    "configuration_condition": "off",
    "configuration_condition_on_project": False,
    "ticket_search": False,
}
ONLY_IN = NOTHING | {"configuration_condition": "in", "configuration_condition_on_project": True}
WAYS: dict[str, dict[str, Any]] = {
    "all ways": ONLY_IN | {"agreement_report": True, "bundle_limit": 20, "ticket_search": True},
    "only in": ONLY_IN,
    "only child collections": NOTHING,
}
BOUNDS = {("all ways", "first"): 300, ("all ways", "second"): 60, ("only child collections", "first"): 5_300}
"""Most ConnectWise requests that the project allows itself for ``SIZES``. With only child collections every
run asks about every agreement, since nothing tells which of them got or lost a configuration."""


def main(sizes: tuple[int, int, int]) -> None:
    console = Console(width=max(140, Console().width))
    home = BUILD / "bench-enrichment"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    assets, agreements, tickets = sizes
    with start_sandbox("--seed", "7", "--assets", "10") as sandbox, local_prefect(home) as prefect:
        sandbox.reset(7, assets, "enrichment", agreements=agreements, tickets=tickets)
        rows = [measure(console, sandbox, prefect, home, way, "first") for way in WAYS]
        sandbox.ticket_churn(CHURN)
        rows += [measure(console, sandbox, prefect, home, way, "second") for way in WAYS]
    result = {"configurations": assets, "agreements": agreements, "tickets": tickets, "runs": rows}
    (BUILD / "bench-enrichment.json").write_text(json.dumps(result, indent=2))
    show(console, rows, sizes)


def measure(
    console: Console, sandbox: Sandbox, prefect: LocalPrefect, home: Path, way: str, kind: str
) -> dict[str, Any]:
    """One run with a ledger for each set of ways; only the first set's runs find something to write."""
    console.print(f"{way}, {kind} run ...")
    ledger = home / f"{way.replace(' ', '-')}.db"
    # The client keeps the limits by itself; a ledger of its own does not know the run before.
    sandbox.switch(**WAYS[way], lansweeper_limits=way == "all ways")
    blocks = [connection(DEFAULT, sandbox.info, ledger, ROOM)]
    run_module("benchmarks.performance.runner", prefect, json.dumps(blocks))
    sandbox.clear_requests()
    output = run_module("benchmarks.performance.measured_run", prefect, "enrichment", sandbox.company)
    figures = json.loads(output.splitlines()[-1])
    served = sandbox.requests()
    counts = figures["counts"]
    if way != "all ways" and counts["updated"]:
        raise AssertionError(f"{way}: other texts than by all ways on {counts['updated']} assets")
    asyncio.run(check_ledger(sandbox, ledger))
    check_texts(sandbox)
    return {
        "ways": way,
        "run": kind,
        "connectwise_requests": served["connectwise"]["requests"],
        "lansweeper_requests": served["lansweeper"]["requests"],
        "lansweeper_mutations": served["lansweeper"]["writes"],
        "mutations_bound": ceil(counts["updated"] / ALIASES) + (kind == "first") * 11,
        "loop_connectwise": 2 * counts["read"],
        "loop_lansweeper": counts["updated"] if way == "all ways" else 0,
        **figures,
        "by": served["connectwise"]["by"] | served["lansweeper"]["by"],
    }


def show(console: Console, rows: list[dict[str, Any]], sizes: tuple[int, int, int]) -> None:
    """Print what was measured beside what the page's loop would have cost."""
    table = Table(
        title="tickets-agreements-sla-sync: {:,} configurations, {:,} agreements, {:,} tickets".format(*sizes)
    )
    columns = {
        "ways": "QueryStrategies",
        "run": "Run",
        "connectwise_requests": "ConnectWise requests",
        "predicted": "predicted",
        "loop_connectwise": "the page's loop",
        "lansweeper_requests": "Lansweeper requests",
        "lansweeper_mutations": "mutations",
        "wall_seconds": "Wall s",
        "peak_megabytes": "Peak MB",
    }
    for name, title in columns.items():
        table.add_column(
            title, justify="left" if name in ("ways", "run") else "right", no_wrap=name == "ways"
        )
    for row in rows:
        cells = (row[name] for name in columns)
        table.add_row(*(f"{each:,}" if isinstance(each, int) else str(each) for each in cells))
    console.print(table)
    first = rows[0]
    console.print(
        f"The page's loop, in every run: {first['loop_connectwise']:,} ConnectWise requests, "
        f"2 a configuration, and {first['counts']['read']:,} mutations, one edit an asset."
    )
    console.print("All ways gave the same texts and links, compared record by record with the sandbox.")
    for row in rows:
        console.print(f"{row['ways']}, {row['run']} run:", *row["searches"], sep="\n  ")
    if sizes == SIZES:
        console.print(*bound_lines(rows), sep="\n")


def bound_lines(rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    for row in rows:
        bound = BOUNDS.get((row["ways"], row["run"]))
        if bound is not None:
            kept = "kept" if row["connectwise_requests"] <= bound else "BROKEN"
            lines.append(f"{row['ways']}, {row['run']} run: at most {bound:,} requests: {kept}")
        kept = "kept" if row["lansweeper_mutations"] <= row["mutations_bound"] else "BROKEN"
        lines.append(f"{row['ways']}, {row['run']} run: at most {row['mutations_bound']:,} mutations: {kept}")
    return lines


if __name__ == "__main__":
    given = tuple(map(int, sys.argv[1:]))
    main(given if len(given) == 3 else SIZES)
