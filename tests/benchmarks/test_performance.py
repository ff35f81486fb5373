"""What the bench prints, keeps, draws and writes into docs/costs.md; the least requests of a run, promises.

The campaign's own computation of the eleven texts comes to what the flow does. The slow test runs the bench.
"""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.performance import results, table
from benchmarks.performance.bounds import (
    FIRST_LOAD,
    NO_CHANGE,
    USUAL_RUN,
    Check,
    Work,
    least_by_part,
    least_requests,
    matching_checks,
    most_connectwise,
    most_lansweeper,
    rereads,
    row_checks,
    straight_line,
    used_by_part,
    wall_limit,
)
from benchmarks.performance.enrichment_model import (
    FIELDS,
    TYPES,
    EnrichmentModel,
    configuration_address,
    texts_of,
)
from benchmarks.performance.run import Bench, fresh, main, measure_run, prefect_share, save_blocks
from benchmarks.performance.table import BEGIN, END, with_table
from connectors.connectwise.settings import record_address
from deployments.local.prefect import local_prefect
from deployments.local.sandbox import start_sandbox
from tasks.rules.enrichment.answers import agreement_rank, shown_agreement, sla_of
from tasks.rules.enrichment.texts import FIELD_TYPES, ConfigurationFacts, TextLimits, wanted_texts
from tests.support.benchmarks.enriched_sandbox import HeldSandbox
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


KINDS = {"types": 80, "statuses": 12, "manufacturers": 1_001, "locations": 30}
USUAL = Work(KINDS, missing=20, existing=15_000, created=750, modified=1_500)


def broken(checks: Any) -> list[str]:
    return [check.name for check in checks if not check.held]


def test_the_least_of_a_usual_run_is_what_the_formula_says() -> None:
    assert least_requests(USUAL) == (1 + 1 + 2 + 1) + 20 + 15 + 15 + 30
    assert rereads(USUAL) == 30


def test_an_empty_company_costs_no_page_and_nothing_to_do_costs_no_write() -> None:
    assert least_requests(Work({"types": 1}, 0, 0, 0, 0)) == 1


@pytest.mark.parametrize("work", [USUAL, Work(KINDS, 5, 0, 999, 0), Work(KINDS, 0, 1, 0, 51)])
def test_the_parts_add_up_to_the_least_with_the_rereads(work: Work) -> None:
    assert sum(least_by_part(work).values()) == least_requests(work) + rereads(work)


def test_every_request_that_was_served_stands_in_one_part() -> None:
    served = {
        "GET /company/configurations/types": 1,
        "POST /procurement/manufacturers": 11,
        "GET /company/configurations": 46,
        "POST /company/configurations/bulk": 15,
        "PUT /company/configurations/bulk": 30,
        "PATCH /company/configurations/{id}": 2,
        "GET /company/companies": 1,
    }
    assert list(used_by_part(served).values()) == [1, 11, 46, 15, 30, 3]


def test_limits() -> None:
    assert most_connectwise(80, 30) == 119
    assert most_lansweeper(15_001, 31) == 31 * 2 + 2
    # 100 requests, 50 ms, four at once: 1.25 s of waiting.
    assert wall_limit(row(requests=100, cpu_seconds=2.0, sandbox_cpu_seconds=0.75)) == 5.2


def test_a_run_that_keeps_all_promises() -> None:
    assert broken(row_checks(row(prefect_share=0.09))) == []
    assert len(list(row_checks(row(prefect_share=0.09)))) == 8


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"connectwise_requests": 340}, "ConnectWise requests"),
        ({"lansweeper_requests": 33}, "Lansweeper requests"),
        ({"peak_megabytes": 1_537}, "peak memory, MiB"),
        ({"new_records": 14_962}, "creations that the sandbox does not have"),
        ({"kind": USUAL_RUN, "counts": row()["counts"] | {"modified": 1}}, "modifications beside those"),
        ({"counts": row()["counts"] | {"failed": 1}}, "assets that failed"),
        ({"kind": NO_CHANGE, "connectwise_writes": 1}, "writes without a change"),
        ({"wall_seconds": 29.3}, "wall seconds"),
        ({"prefect_share": 0.11}, "Prefect's share of the wall"),
    ],
)
def test_each_promise_can_be_broken(changed: dict[str, Any], name: str) -> None:
    (found,) = broken(row_checks(row(**{"connectwise_writes": 0} | changed)))
    assert found.startswith(name)


@pytest.mark.parametrize("changed", [{"assets": 1_000}, {"latency_ms": 0.0}, {"kind": USUAL_RUN}])
def test_wall_time_has_a_bound_in_one_run_only(changed: dict[str, Any]) -> None:
    assert broken(row_checks(row(wall_seconds=99.0, **changed))) == []


def test_a_curve_is_no_straight_line() -> None:
    straight = [row(), row(assets=100_000, cpu_seconds=90.0), row(assets=1_000, cpu_seconds=10.0)]
    assert broken(straight_line(straight)) == []
    assert len(list(straight_line(straight))) == 1
    assert len(broken(straight_line([row(), row(assets=100_000, cpu_seconds=110.0)]))) == 1


def test_match_and_diff_is_held_against_both_peers() -> None:
    assert broken(matching_checks(MATCHING)) == []
    slow = MATCHING | {"ratio": 1.6, "best_ratio": 1.51, "diffsync_ratio": {"median": 3.0, "fastest": 3.9}}
    assert len(broken(matching_checks(slow))) == 2


def test_a_check_says_its_limit_and_verdict() -> None:
    assert Check("a", 2, 3).as_json() == {"check": "a", "value": 2, "at most": 3, "held": True}
    assert Check("a", 2, 3, least=True).as_json() == {"check": "a", "value": 2, "at least": 3, "held": False}


def agreement(number: int, **members: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Agreement {number}",
        "type": {"name": "Block; Time"},
        "agreementStatus": "Active",
        "startDate": "2000-09-29T00:00:00Z",
        "endDate": "2028-09-30T00:00:00Z",
        **members,
    }


def test_one_agreement_and_two_tickets() -> None:
    tickets = [{"closedFlag": True}, {"closedFlag": False}, {}]
    texts = texts_of({"sla": {"name": "Gold"}}, [agreement(538)], tickets, "https://na.example.test/1")
    assert list(texts.values()) == [
        *("3", "2", "1", "https://na.example.test/1"),
        *("538", "Agreement 538", "Block, Time", "Active", "29/09/2000", "30/09/2028", "Gold"),
    ]


def test_active_ones_first_then_the_newest_start_then_the_id() -> None:
    found = [
        agreement(1, agreementStatus="Expired", startDate="2022-01-01T00:00:00Z"),
        agreement(5, startDate=None, noEndingDateFlag=True),
        agreement(4),
        agreement(3, sla={"name": "Plant"}),
        agreement(2, startDate="2010-01-01T00:00:00Z", endDate=None),
    ]
    texts = texts_of({}, found, [], "")
    assert texts["cw_agreement_id"] == "2; 3; 4; 5; 1"
    assert texts["cw_agreement_end_date"] == "; 30/09/2028; 30/09/2028; ; 30/09/2028"
    assert texts["cw_sla"] == "Plant"


def test_nothing_known_is_empty_and_totals_are_zero() -> None:
    texts = texts_of({}, [], [], "")
    assert set(texts) == set(FIELDS)
    assert [text for text in texts.values() if text] == ["0", "0", "0"]


def test_names_and_types_are_the_documented_ones() -> None:
    assert TYPES == FIELD_TYPES


@pytest.mark.parametrize("limits", [(50, 4000), (1, 4000), (2, 4000), (50, 200)])
def test_the_flow_comes_to_the_same_texts(limits: tuple[int, int]) -> None:
    model = EnrichmentModel(HeldSandbox())
    several = [agreement(each, name=f"{each} {'x' * 60};") for each in range(1, 6)]
    for number, record in model.configurations.items():
        agreements = model.agreements[number] + (several if number % 5 == 0 else [])
        shown = [shown_agreement(each) for each in agreements]
        facts = ConfigurationFacts(
            number, "", None, "u", sla_of(record, _ranked(shown)), shown, model.tickets[number]
        )
        found = texts_of(
            record,
            agreements,
            model.tickets[number],
            "u",
            {"agreements": limits[0], "characters": limits[1]},
        )
        assert found == wanted_texts(facts, TextLimits(agreements=limits[0], characters=limits[1]))


def _ranked(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(shown, key=agreement_rank)


@pytest.mark.parametrize(
    "site", ["http://127.0.0.1:8000", "api-na.myconnectwise.net", "https://eu.myconnectwise.net"]
)
def test_the_address_is_the_one_that_a_person_opens(site: str) -> None:
    assert configuration_address(site, "acme", 7) == record_address(site, "acme", "ConfigFv", 7)


@pytest.mark.slow
def test_sixty_assets_keep_every_promise(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    arguments = ["60", "--latency-ms", "5", "--no-matching", "--no-chart"]
    assert main(arguments, home=tmp_path / "bench", result=path)
    first, quiet, usual = results.load(path)["runs"]
    assert [each["kind"] for each in (first, quiet, usual)] == [FIRST_LOAD, NO_CHANGE, USUAL_RUN]
    assert first["counts"]["created"] == first["new_records"] > 50
    assert quiet["connectwise_writes"] == 0
    assert (usual["changed"], usual["assets_read"]) == (6, 63)
    assert usual["counts"]["modified"] <= 6
    for each in (first, quiet, usual):
        assert each["requests"] == each["connectwise_requests"] + each["lansweeper_requests"]
        assert sum(each["used_by_part"].values()) == each["connectwise_requests"]
        assert each["task_runs"] > each["flow_runs"] == 1
        assert 0 < each["sandbox_cpu_seconds"] < each["wall_seconds"]


@pytest.mark.slow
def test_the_chain_without_prefect_sends_the_same_requests(tmp_path: Path) -> None:
    home = tmp_path / "bench"
    home.mkdir()
    with local_prefect(home) as prefect, start_sandbox("--assets", "1") as sandbox:
        bench = Bench(Console(file=io.StringIO()), prefect, home)
        save_blocks(bench, sandbox)
        fresh(bench, sandbox, 60)
        measured = measure_run(bench, sandbox, 0)
        found = prefect_share(bench, sandbox, 60, measured, 1)
    assert found["walls_with_prefect"] == [measured["wall_seconds"]]
    assert 0 < found["walls_without_prefect"][0] < measured["wall_seconds"]
    assert 0 < found["prefect_share"] < 1
