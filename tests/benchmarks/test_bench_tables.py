"""What the bench prints, keeps, draws and writes into docs/costs.md, from made-up figures."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.performance import results, table
from benchmarks.performance.bounds import FIRST_LOAD, NO_CHANGE
from benchmarks.performance.table import BEGIN, END, with_table
from tests.support.benchmarks.figures import MATCHING, row

SHARE = {
    "walls_with_prefect": [25.0, 26.0, 24.0],
    "walls_without_prefect": [23.0, 22.9, 23.4],
    "cpu_without_prefect": 10.5,
    "prefect_share": 0.08,
}
QUIET = row(
    kind=NO_CHANGE,
    connectwise_writes=0,
    counts={"read": 15_000, "created": 0, "modified": 0, "failed": 0},
    new_records=0,
)
RESULT = results.merged({}, [row(**SHARE), row(latency_ms=0.0, wall_seconds=20.5), QUIET], MATCHING)


def printed(result: results.Row) -> tuple[bool, str]:
    out = io.StringIO()
    held = table.show(Console(file=out, width=240), result)
    return held, out.getvalue()


def test_all_promises_kept() -> None:
    held, text = printed(RESULT)
    assert held
    assert "promises held" in text
    assert "BROKEN" not in text
    assert "300 / 300" in text
    assert "share 8.0%; CPU s 12 and 10.5" in text


def test_one_broken_promise_is_said_and_returned() -> None:
    held, text = printed(results.merged(RESULT, [row(peak_megabytes=2_000)], None))
    assert not held
    assert text.count("BROKEN") == 1
    assert "2,000" in text


def test_a_new_measurement_takes_the_place_of_the_old_one() -> None:
    again = results.merged(RESULT, [row(wall_seconds=26.5), row(assets=1_000, peak_megabytes=99)], None)
    places = [(each["assets"], each["latency_ms"], each["kind"]) for each in again["runs"]]
    assert places == [
        (1_000, 50.0, FIRST_LOAD),
        (15_000, 0.0, FIRST_LOAD),
        (15_000, 50.0, FIRST_LOAD),
        (15_000, 50.0, NO_CHANGE),
    ]
    assert again["runs"][2]["wall_seconds"] == 26.5
    assert again["match_and_diff"] == MATCHING
    assert all(check["held"] for check in again["checks"])


def test_figures_are_kept_with_commit_and_versions(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    assert results.load(path) == {}
    results.save(RESULT, path)
    assert results.load(path) == json.loads(json.dumps(RESULT))
    results.save(RESULT | {"form": results.FORM - 1}, path)
    assert results.load(path) == {}
    by = results.measured_by()
    assert by["prefect"].startswith("3.")
    assert by["commit"]


def test_the_page_has_one_line_a_size_and_kind_with_both_latencies() -> None:
    lines = [line for line in table.markdown(RESULT).splitlines() if line.startswith("|")]
    assert lines[2] == ("| 15,000 | first load | 331 | 326 | 14,989 | 31 | 20.5 / 25 | 12 | 293 | 36 |")
    assert len(lines) == 4
    text = table.markdown(RESULT)
    assert "at 0 / 50 ms" in text
    assert "8% of the wall" in text
    assert "1.20 times" in text


def test_the_page_tells_of_every_size_what_it_was_measured_with() -> None:
    later = row(assets=1_000, commit="fedcba987", date="2026-02-01 12:00 UTC")
    text = table.markdown(results.merged(RESULT, [later, later | {"latency_ms": 0.0}], None))
    with_versions = "with Python 3.11.7 and Prefect 3.8.8 on 2 cores."
    assert f"\n1,000 assets were measured on 2026-02-01 12:00 UTC at fedcba987 {with_versions}\n" in text
    assert f"\n15,000 assets were measured on 2026-01-31 12:00 UTC at 0123456789 {with_versions}\n" in text


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert with_table(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter"
    for wrong in ("nothing", f"{END}{BEGIN}", f"{text}{text}"):
        with pytest.raises(ValueError, match="once each"):
            with_table(wrong, "new")


def test_the_chart_takes_the_figures_of_one_kind_in_order_of_size() -> None:
    rows = [row(), row(assets=1_000, wall_seconds=3.0), QUIET, row(latency_ms=0.0)]
    assert table.points(rows, FIRST_LOAD, 50.0, lambda each: each["wall_seconds"]) == (
        [1_000, 15_000],
        [3.0, 25.0],
    )


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="the extra bench is not installed")
def test_the_chart_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "bench.png"
    table.draw_chart([*RESULT["runs"], row(assets=1_000)], path)
    assert path.read_bytes().startswith(b"\x89PNG")
