"""The result as a person reads it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

MOST_FAULTS = 40


def show(console: Console, result: dict[str, Any]) -> None:
    """Tables of what was measured and counted, and every fault."""
    table = Table(title=f"Dispatch campaign: {result['tickets']} tickets, seed {result['seed']}")
    table.add_column("What", no_wrap=True)
    table.add_column("How many", justify="right")
    for title, counts in _sections(result).items():
        table.add_section()
        for name, number in counts.items():
            table.add_row(f"{title}: {name}", f"{number:,}" if isinstance(number, int) else str(number))
    console.print(table)
    costs = Table(title="Requests of one work order in calm weather")
    for name in ("Event", "ConnectWise", "Field Nation"):
        costs.add_column(name, justify="left" if name == "Event" else "right")
    for name, counted in result["requests in calm weather"].items():
        costs.add_row(name, str(counted["connectwise"]), str(counted["field_nation"]))
    console.print(costs)
    console.print("Different from production: waiting times are short, so that the campaign ends soon:")
    for name, words in result["differs from production"].items():
        console.print(f"  {name}: {words}")
    faults = result["faults"]
    for fault in faults[:MOST_FAULTS]:
        console.print(f"WRONG: {fault}", style="red", markup=False)
    if len(faults) > MOST_FAULTS:
        console.print(f"and {len(faults) - MOST_FAULTS} more", style="red")
    if not faults:
        console.print(
            "One living work order for each ticket in the trigger, every note once on both sides, no echo."
        )


def _sections(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "Tickets": result["stories"],
        "Disturbed requests": result["storm"]["disturbed requests"],
        "Killed": {"processes": result["kills"]["number"]},
        "Forged and replayed": result["strangers"],
        "Receiver": result["receiver"],
        "Seconds": {
            "storm": result["storm"]["seconds"],
            "calm": result["calm"]["seconds"],
            "in all": result["seconds"],
        },
        "An hour later": {
            f"intents {name}": number for name, number in result["an hour later"]["intents"].items()
        }
        | {f"messages {name}": number for name, number in result["an hour later"]["inbox"].items()},
        "Quiet round": {
            f"requests to {name}": number for name, number in result["quiet round"]["requests"].items()
        }
        | {"writes": sum(result["quiet round"]["writes"].values())},
    }
