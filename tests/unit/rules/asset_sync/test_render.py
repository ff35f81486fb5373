"""Plan and report as Markdown: readable, capped, and safe against any name."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.matching.result import Ambiguous, MatchResult, Unmatched
from tasks.rules.asset_sync.render import plan_markdown, references_list, report_markdown
from tasks.rules.asset_sync.report import SyncCounts, SyncReport
from tasks.rules.report import WriteFailure, WrittenRecord
from tasks.rules.text import cell, document, escape, linked, table, wrapped
from tasks.rules.undo import UndoPlan, UndoRefusal, UndoStep, undo_markdown
from tests.support.factories.asset_sync import asset, configuration
from tests.unit.rules.asset_sync.test_plan import match, planned

HOSTILE = "<script>alert(1)</script> | x\n| y | [a](javascript:b) ![i](http://c) `d` **e** \u202e"


def columns(line: str) -> int:
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))


@given(st.text(max_size=60))
def test_no_value_breaks_a_table(value: str) -> None:
    lines = table(["A", "B"], [[cell(value), escape(value)]]).split("\n")
    assert len(lines) == 3
    assert {columns(line) for line in lines} == {3}
    assert not re.search(r"<|(?<!\\)\[", lines[2])


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_address_breaks_a_link(text: str, rest: str) -> None:
    shown = linked(text, f"https://host/{rest}")
    assert re.fullmatch(r"\[(?:\\.|[^\[\]\\])+\]\(https://host/[^\s()<>|]*\)", shown)


def test_only_http_addresses_become_links() -> None:
    assert linked("a", "javascript:alert(1)") == "a"
    assert linked("a", None) == "a"


def test_addresses_are_text_without_entities_that_the_ui_would_show() -> None:
    assert escape("http://a.b www.c.d me@e.f") == "http:\\/\\/a.b www\\.c.d me\\@e.f"


@given(st.text("ab c|&<*:/@.w", max_size=200), st.integers(1, 60))
def test_wrapped_lines_are_short_and_hold_every_word(value: str, width: int) -> None:
    lines = wrapped(value, width).split("<br>")
    shown = [html.unescape(line.replace("\\", "")) for line in lines]
    assert all(len(line) <= width for line in shown)
    assert "".join("".join(shown).split()) == "".join(value.split())


def test_long_and_empty_values() -> None:
    assert cell("x" * 100, 10) == "x" * 9 + "…"
    assert cell(None) == cell(" ") == "*empty*"
    assert cell(0) == "0"
    assert cell(False) == "False"


def sample(rows: int = 50, name: str = "PC") -> str:
    result = MatchResult(
        matched=[match(f"m{n}", n + 1, serialNumber=f"S{n}x", name=name) for n in range(3)],
        unmatched=[
            Unmatched(asset("n1", name=name, manufacturer_name="Cray")),
            Unmatched(asset("n2", name=None)),
        ],
        ambiguous=[Ambiguous(asset("a1", name=name), [configuration(7, None)], "one serial on two records")],
        orphaned=[configuration(9, "gone")],
    )
    return plan_markdown(
        planned(result),
        title="BlueLightCo",
        dry_run=True,
        rows=rows,
        configuration_link=lambda number: f"https://cw.example/{number}",
        asset_link=lambda key: f"https://ls.example/{key}",
    )


def test_the_first_screen_is_the_verdict_and_the_counts() -> None:
    lines = [line for line in sample().split("\n") if line]
    assert lines[:5] == [
        "# BlueLightCo",
        "**Dry run: nothing is written.**",
        "| Read | To create | To modify | Unchanged | Ambiguous | Skipped |",
        "| --- | --- | --- | --- | --- | --- |",
        "| **6** | **1** | **3** | **0** | **1** | **1** |",
    ]


def test_the_sections_come_in_the_order_of_what_will_be_done() -> None:
    assert re.findall(r"^## (.+)$", sample(), re.MULTILINE) == [
        "Kinds of change",
        "Reference records to create",
        "Changes",
        "Configurations to create",
        "Ambiguous, left alone",
        "Skipped",
        "Orphaned, left alone",
    ]


def test_changes_stand_under_their_configuration_with_both_values() -> None:
    assert "- [PC m0](https://cw.example/1), matched on link\n" in sample()
    assert "\n  - serialNumber: *empty* → S0x\n" in sample()
    assert "[PC (7)](https://cw.example/7)" not in sample()
    assert "- [PC](https://ls.example/a1): " in sample()


def test_lists_are_capped_and_say_how_many_more() -> None:
    text = sample(rows=2)
    assert "… and 2 more configurations" in text
    assert text.count("matched on link") == 1


def test_a_hostile_name_is_shown_as_text() -> None:
    text = sample(name=HOSTILE)
    assert "<script" not in text
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    assert "\u202e" not in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({columns(line) for line in block.strip().split("\n")}) == 1


def test_a_refused_plan_says_so_first() -> None:
    text = plan_markdown(
        planned(MatchResult(matched=[match(serialNumber="S2")])), refused=["31 % is too much."]
    )
    assert text.split("\n")[2] == "**Refused: nothing is written.**"


def test_an_up_to_date_plan_is_short() -> None:
    text = plan_markdown(planned(MatchResult(matched=[match()])))
    assert "Nothing to write: ConnectWise is up to date." in text
    assert "## " not in text


def test_a_report_shows_failures_in_the_vendors_words() -> None:
    report = SyncReport(
        SyncCounts(read=3, created=1, unchanged=1, failed=1),
        failures=[WriteFailure("k9", HOSTILE, "create", "macAddress is too long", "InvalidObject")],
        references_created={"type.name": ["ls_Linux"]},
        duplicates=["k3"],
        notes=["The canary stopped bulk."],
        requests_predicted=10,
        requests_used=11,
        writes=4,
        written=[WrittenRecord("k1", "PC 1", "created", 12), WrittenRecord("k2", "PC 2", "created")],
    )
    text = report_markdown(
        report,
        planned(MatchResult(matched=[match()])),
        configuration_link=lambda number: f"https://cw.example/{number}",
    )
    assert "| [PC 1](https://cw.example/12) | created | k1 |" in text
    assert "| PC 2 | created | k2 |" in text
    assert text.split("\n")[2] == "**Finished with 1 failure**"
    assert "InvalidObject: macAddress is too long" in text
    assert "11 used, 10 predicted; 4 writes" in text
    assert "- **1** configuration type: ls\\_Linux" in text
    assert "<script" not in text


def test_a_dry_report_speaks_of_what_would_be_done() -> None:
    text = report_markdown(SyncReport(SyncCounts(read=3, created=1, modified=2), dry_run=True))
    assert "| Read | To create | To modify | Unchanged | Ambiguous | Skipped |" in text
    assert "| Read | Created | Modified |" in report_markdown(SyncReport(SyncCounts(read=1, created=1)))


def test_warnings_link_the_assets_that_they_name_and_count_the_others() -> None:
    few = MatchResult(unmatched=[Unmatched(asset("n1"), "Beware."), Unmatched(asset("n2"), "Look.")])
    many = MatchResult(unmatched=[Unmatched(asset(f"n{each}"), "Beware.") for each in range(5)])
    few_told, many_told = (
        plan_markdown(planned(each), asset_link=lambda key: f"https://ls.example/{key}")
        for each in (few, many)
    )
    assert "- Beware. ([PC n1](https://ls.example/n1))\n" in few_told
    assert "- Beware. (5 assets, such as [PC n0](https://ls.example/n0), [PC n1]" in many_told


def test_reference_records_are_counted_in_words_that_agree() -> None:
    told = references_list({"status.name": ["a"], "manufacturer.name": ["b", "c"], "type.name": []})
    assert told == "- **2** manufacturers: b, c\n- **1** status: a"


def test_an_undo_shows_what_becomes_of_each_field() -> None:
    plan = UndoPlan(
        steps=[
            UndoStep("modify", 5, "PC", "k", {"notes": None, "manufacturer": {"id": 3, "name": "Dell"}}),
            UndoStep("delete", 6, "PC 2", "k2"),
        ],
        refused=[UndoRefusal(7, "PC 3", "notes", "Changed since.")],
    )
    text = undo_markdown(plan, link=lambda number: f"https://cw.example/{number}")
    assert "- [PC](https://cw.example/5): modify notes → *empty*, manufacturer → Dell" in text
    assert "- [PC 2](https://cw.example/6): delete" in text
    assert "- [PC 3](https://cw.example/7), notes: Changed since." in text
    assert "2 records to put back or delete, 1 refusal, 0 records already as before." in text


def test_a_document_ends_with_one_line_end() -> None:
    assert document("a", "", "b") == "a\n\nb\n"
