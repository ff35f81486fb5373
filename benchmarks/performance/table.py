"""What was measured, for people: tables for a console, the part of docs/costs.md in Markdown, and a chart.

``python -m benchmarks.performance.table`` writes what ``make bench`` measured into docs/costs.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.performance import results
from benchmarks.performance.bounds import (
    AGAINST_DIFFSYNC,
    BY_HAND,
    FIRST_LOAD,
    MOST_MEGABYTES,
    NO_CHANGE,
    PARTS,
    USUAL_RUN,
    WALL_LATENCY,
    WALL_SIZE,
    Check,
)
from benchmarks.performance.results import NOTE, checked
from benchmarks.performance.runner import BUILD
from deployments import ROOT

Row = dict[str, Any]
COLUMNS = {
    "assets": "Assets",
    "latency_ms": "ms",
    "kind": "Run",
    "connectwise_requests": "CW requests",
    "connectwise_least": "least",
    "rereads": "re-reads",
    "connectwise_most": "allowed",
    "connectwise_writes": "CW writes",
    "lansweeper_requests": "LS requests",
    "lansweeper_most": "allowed",
    "wall_seconds": "Wall s",
    "cpu_seconds": "CPU s",
    "sandbox_cpu_seconds": "sandbox CPU s",
    "peak_megabytes": "Peak MiB",
    "task_runs": "Task runs",
    "flow_runs": "Flow runs",
}
CHART = BUILD / "bench.png"
COLOURS = {FIRST_LOAD: "#1f5fa8", USUAL_RUN: "#c8641e", NO_CHANGE: "#3a8a4d"}
STYLES = ("-", "--", ":", "-.")
Points = tuple[list[int], list[float]]
PAGE = ROOT / "docs" / "costs.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def show(console: Console, result: dict[str, Any]) -> bool:
    """Print everything; whether every promise was kept."""
    table = Table(
        title="asset-synchronization against the sandbox", caption=f"CW: ConnectWise. LS: Lansweeper. {NOTE}"
    )
    for name, title in COLUMNS.items():
        table.add_column(title, justify="left" if name == "kind" else "right", no_wrap=name == "kind")
    for row in result["runs"]:
        table.add_row(*(shown(row[name]) for name in COLUMNS))
    console.print(table)
    console.print(_parts_table(result["runs"]))
    console.print(*_share_lines(result["runs"]), *_matching_lines(result["match_and_diff"]), sep="\n")
    return _show_checks(console, result)


def shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _parts_table(rows: Sequence[Row]) -> Table:
    """Requests by what they are for, once a size and kind: latency does not change them."""
    table = Table(title="ConnectWise requests by what they are for: sent / least")
    table.add_column("Assets", justify="right")
    table.add_column("Run")
    for part in PARTS:
        table.add_column(part, justify="right")
    for row in {(row["assets"], row["kind"]): row for row in rows}.values():
        cells = (f"{row['used_by_part'][part]:,} / {row['least_by_part'][part]:,}" for part in PARTS)
        table.add_row(shown(row["assets"]), row["kind"], *cells)
    return table


def _share_lines(rows: Iterable[Row]) -> list[str]:
    return [
        f"First load of {row['assets']:,} at {row['latency_ms']:g} ms, wall s with Prefect "
        f"{row['walls_with_prefect']}, without {row['walls_without_prefect']}: "
        f"share {row['prefect_share']:.1%}; CPU s {row['cpu_seconds']:g} and {row['cpu_without_prefect']:g}"
        for row in rows
        if "prefect_share" in row
    ]


def _matching_lines(matching: Row | None) -> list[str]:
    if not matching:
        return []
    median, fastest = matching["cpu_seconds"], matching["fastest_cpu_seconds"]
    names = ", ".join(f"{name} {median[name]:.2f} ({fastest[name]:.2f})" for name in median)
    return [
        f"Extract, match and diff of {matching['n']:,} x {matching['n']:,}, CPU s, median (fastest): {names}"
    ]


def _show_checks(console: Console, result: dict[str, Any]) -> bool:
    """Every broken promise, and of those that were kept the run that came closest to its limit."""
    table = Table(title="Promises: each broken one, and the closest run of the others")
    for title in ("Promise", "Runs", "Run", "Measured", "Limit", ""):
        table.add_column(title)
    found = list(checked(result))
    promises: dict[str, list[tuple[Check, str]]] = {}
    for check, line in found:
        promises.setdefault(check.name, []).append((check, line["run"]))
    for name, held in promises.items():
        broken_ones = [each for each in held if not each[0].held]
        for check, run in broken_ones or [max(held, key=lambda each: each[0].closeness)]:
            limit = f"{'at least' if check.least else 'at most'} {check.limit:,.6g}"
            verdict = "held" if check.held else "[bold red]BROKEN[/]"
            table.add_row(name, str(len(held)), run, f"{check.value:,.6g}", limit, verdict)
    console.print(table)
    broken = sum(not check.held for check, _ in found)
    console.print(f"{len(found)} promises, {broken} broken" if broken else f"All {len(found)} promises held")
    return not broken


def markdown(result: dict[str, Any]) -> str:
    """The part of docs/costs.md: a row a size and kind, both latencies in it, and what else was compared."""
    lines = [
        "| Assets | Run | ConnectWise requests | least possible | one a record | Lansweeper requests "
        "| Wall s | CPU s | Peak MiB | Prefect task runs |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in result["runs"]:
        groups.setdefault((row["assets"], row["kind"]), []).append(row)
    lines += [_markdown_row(rows) for rows in groups.values()]
    return "\n".join([*lines, "", *_markdown_words(result)])


def one_a_record(row: Row) -> int:
    """Requests of a loop that writes each record by itself, over the same pages."""
    parts = row["least_by_part"]
    reads = parts[PARTS[0]] + parts[PARTS[2]] - row["rereads"]
    return int(reads + parts[PARTS[1]] + row["counts"]["created"] + row["counts"]["modified"])


def _markdown_row(rows: Sequence[Row]) -> str:
    first = rows[0]
    cells = [
        shown(first["assets"]),
        first["kind"],
        shown(max(row["connectwise_requests"] for row in rows)),
        shown(first["connectwise_least"] + first["rereads"]),
        shown(one_a_record(first)),
        shown(max(row["lansweeper_requests"] for row in rows)),
        " / ".join(shown(row["wall_seconds"]) for row in rows),
        shown(max(row["cpu_seconds"] for row in rows)),
        shown(max(row["peak_megabytes"] for row in rows)),
        shown(max(row["task_runs"] for row in rows)),
    ]
    return f"| {' | '.join(cells)} |"


def _markdown_words(result: dict[str, Any]) -> list[str]:
    rows = result["runs"]
    latencies = " / ".join(f"{each:g}" for each in sorted({row["latency_ms"] for row in rows}))
    words = [
        f"Wall seconds at {latencies} ms of latency added to every answer, on cores that the sandbox and "
        "Prefect's server share.",
        *_markdown_origins(rows),
    ]
    words += [
        f"Of the first load of {WALL_SIZE:,} at {WALL_LATENCY} ms {row['prefect_share']:.0%} of the wall "
        "time is Prefect's: the same chain as plain functions takes the rest."
        for row in rows
        if "prefect_share" in row
    ]
    return words + _markdown_matching(result["match_and_diff"])


def _markdown_origins(rows: Sequence[Row]) -> list[str]:
    """A sentence a measurement: the sizes may have been measured at different times."""
    sizes: dict[str, list[str]] = {}
    for row in rows:
        origin = (
            f"{row['date']} at {row['commit']} with Python {row['python']} and Prefect {row['prefect']} on "
            f"{row['cores']} cores"
        )
        sizes.setdefault(origin, []).append(shown(row["assets"]))
    return [
        f"{' and '.join(dict.fromkeys(measured))} assets were measured on {origin}."
        for origin, measured in sizes.items()
    ]


def _markdown_matching(matching: Row | None) -> list[str]:
    if not matching:
        return []
    spent = matching["cpu_seconds"]
    by_hand = min(matching["ratio"], matching["best_ratio"])
    diffsync, jmespath = (max(matching[f"{name}_ratio"].values()) for name in ("diffsync", "jmespath"))
    return [
        f"Reading out, matching and comparing {matching['n']:,} assets with {matching['n']:,} configurations "
        f"takes {spent['rules']:.2f} s of CPU: {by_hand:.2f} times an index written by hand for one mapping "
        f"(at most {BY_HAND:g}), where DiffSync takes {spent['diffsync']:.2f} s ({diffsync:.1f} times as "
        f"much, at least {AGAINST_DIFFSYNC:g}) and compiled JMESPath {spent['jmespath']:.2f} s "
        f"({jmespath:.1f} times).",
    ]


def points(rows: Sequence[Row], kind: str, latency: float, value: Callable[[Row], float]) -> Points:
    """Sizes and values of one kind of run and latency, from the smallest size on."""
    found = sorted(
        (row["assets"], float(value(row)))
        for row in rows
        if row["kind"] == kind and row["latency_ms"] == latency
    )
    return [size for size, _ in found], [each for _, each in found]


def draw_chart(rows: Sequence[Row], path: Path = CHART) -> None:
    """Requests, seconds and memory, side by side; ImportError without the extra ``bench``."""
    from matplotlib.figure import Figure

    latencies = sorted({float(row["latency_ms"]) for row in rows})
    figure = Figure(figsize=(15, 5), layout="constrained")
    figure.suptitle("asset-synchronization: cost against the number of assets")
    requests, seconds, memory = figure.subplots(1, 3)
    _draw_requests(requests, rows, latencies[-1])
    for number, latency in enumerate(latencies):
        for kind in COLOURS:
            style = {"color": COLOURS[kind], "linestyle": STYLES[number % len(STYLES)], "marker": "o"}
            label = f"{kind}, {latency:g} ms"
            seconds.plot(*points(rows, kind, latency, lambda row: row["wall_seconds"]), label=label, **style)
            memory.plot(*points(rows, kind, latency, lambda row: row["peak_megabytes"]), label=label, **style)
    memory.axhline(MOST_MEGABYTES, color="#888888", linewidth=1, label="1.5 GB")
    titles = ((requests, "ConnectWise requests"), (seconds, "Wall seconds"), (memory, "Peak memory, MiB"))
    for axes, title in titles:
        _finish_axes(axes, title, sorted({int(row["assets"]) for row in rows}))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _draw_requests(axes: Any, rows: Sequence[Row], latency: float) -> None:
    for kind, colour in COLOURS.items():
        sent = points(rows, kind, latency, lambda row: row["connectwise_requests"])
        least = points(rows, kind, latency, lambda row: row["connectwise_least"] + row["rereads"])
        axes.plot(*sent, label=kind, color=colour, marker="o")
        axes.plot(*least, color=colour, linestyle=":", linewidth=1)
    axes.plot(
        *points(rows, FIRST_LOAD, latency, one_a_record),
        label="first load, one a record",
        color="#888888",
        marker="x",
    )
    axes.plot([], [], label="least possible", color="#444444", linestyle=":", linewidth=1)


def _finish_axes(axes: Any, title: str, sizes: list[int]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set(title=title, xlabel="Assets", xscale="log", yscale="log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, linewidth=0.4)
    axes.legend(fontsize="small", handlelength=3.5)


def with_table(text: str, table: str) -> str:
    """The text with the part between the marks replaced; ValueError unless each is there once, in order."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or END in before or BEGIN in after:
        raise ValueError(f"the text needs {BEGIN} and {END}, once each and in this order")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main(page: Path = PAGE) -> None:
    """Raises SystemExit where nothing was measured yet."""
    found = results.load()
    if not found:
        raise SystemExit(f"{results.RESULT} is not there: run make bench first.")
    page.write_text(with_table(page.read_text(encoding="utf-8"), markdown(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
