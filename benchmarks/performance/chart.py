"""``build/bench.png``: what a run costs against the number of assets, on logarithmic scales.

``python -m benchmarks.performance.chart`` draws what ``build/bench.json`` holds once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.performance import results
from benchmarks.performance.bounds import FIRST_LOAD, MOST_MEGABYTES, NO_CHANGE, USUAL_RUN
from benchmarks.performance.runner import BUILD
from benchmarks.performance.table import one_a_record

CHART = BUILD / "bench.png"
COLOURS = {FIRST_LOAD: "#1f5fa8", USUAL_RUN: "#c8641e", NO_CHANGE: "#3a8a4d"}
STYLES = ("-", "--", ":", "-.")

Row = dict[str, Any]
Points = tuple[list[int], list[float]]


def points(rows: Sequence[Row], kind: str, latency: float, value: Callable[[Row], float]) -> Points:
    """Sizes and values of one kind of run and latency, from the smallest size on."""
    found = sorted(
        (row["assets"], float(value(row)))
        for row in rows
        if row["kind"] == kind and row["latency_ms"] == latency
    )
    return [size for size, _ in found], [each for _, each in found]


def draw(rows: Sequence[Row], path: Path = CHART) -> None:
    """Requests, seconds and memory, side by side.

    Raises:
        ImportError: matplotlib is not installed; it belongs to the extra ``bench``.
    """
    from matplotlib.figure import Figure

    latencies = sorted({float(row["latency_ms"]) for row in rows})
    figure = Figure(figsize=(15, 5), layout="constrained")
    figure.suptitle("asset-synchronization: cost against the number of assets")
    requests, seconds, memory = figure.subplots(1, 3)
    _requests(requests, rows, latencies[-1])
    for number, latency in enumerate(latencies):
        for kind in COLOURS:
            style = {"color": COLOURS[kind], "linestyle": STYLES[number % len(STYLES)], "marker": "o"}
            label = f"{kind}, {latency:g} ms"
            seconds.plot(*points(rows, kind, latency, lambda row: row["wall_seconds"]), label=label, **style)
            memory.plot(*points(rows, kind, latency, lambda row: row["peak_megabytes"]), label=label, **style)
    memory.axhline(MOST_MEGABYTES, color="#888888", linewidth=1, label="1.5 GB")
    titles = ((requests, "ConnectWise requests"), (seconds, "Wall seconds"), (memory, "Peak memory, MiB"))
    for axes, title in titles:
        _finish(axes, title, sorted({int(row["assets"]) for row in rows}))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _requests(axes: Any, rows: Sequence[Row], latency: float) -> None:
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


def _finish(axes: Any, title: str, sizes: list[int]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set(title=title, xlabel="Assets", xscale="log", yscale="log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, linewidth=0.4)
    axes.legend(fontsize="small", handlelength=3.5)


if __name__ == "__main__":
    draw(results.load()["runs"])
