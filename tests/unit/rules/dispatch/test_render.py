"""Reports of dispatch: links to both sides, and no value that breaks out."""

from __future__ import annotations

from tasks.rules.dispatch.result import ReportLine, dispatch_markdown, preview_markdown

LINE = ReportLine(
    "CW-S-5",
    "https://cw.example/v4?recid=5",
    "created",
    7,
    "https://fn.example/workorders/7",
    "<b>|x",
)


def test_each_record_links_to_both_sides() -> None:
    text = dispatch_markdown("Sweep", {"created": 1}, [LINE], notes=["two | living"])
    assert "](https://cw.example/v4?recid=5)" in text
    assert "[7](https://fn.example/workorders/7)" in text
    assert "- two \\| living" in text
    assert "<b>" not in text


def test_a_dry_run_says_so() -> None:
    assert "nothing was written" in dispatch_markdown("Sweep", {}, [], looked_at=True)
    assert "nothing was written" not in dispatch_markdown("Sweep", {}, [])


def test_a_preview_shows_the_body_as_code() -> None:
    body = {"title": "x\n# heading", "location": {"city": "Łódź"}}
    text = preview_markdown(LINE, body, {}, refusal="", warnings=["pay.type: 'x' is none of fixed."])
    assert '      "city": "Łódź"' in text
    assert "\n# heading" not in text
    assert "## Left out" in text
    assert "## It would be refused" not in text


def test_an_update_shows_only_what_it_would_send() -> None:
    text = preview_markdown(LINE, {"title": "whole"}, {"location": {}}, refusal="no", warnings=[])
    assert "whole" not in text
    assert "## What an update would send" in text
