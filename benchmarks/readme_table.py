"""``python -m benchmarks.readme_table``: writes what ``make bench`` measured into the README."""

from __future__ import annotations

from pathlib import Path

from benchmarks import results
from benchmarks.programs import ROOT
from benchmarks.table import markdown

README = ROOT / "README.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def with_table(text: str, table: str) -> str:
    """The text with what stands between the marks replaced.

    Raises:
        ValueError: the marks are not there, once each and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or END in before or BEGIN in after:
        raise ValueError(f"the text needs {BEGIN} and {END}, once each and in this order")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main(readme: Path = README) -> None:
    """Raises SystemExit where nothing was measured yet."""
    found = results.load()
    if not found:
        raise SystemExit(f"{results.RESULT} is not there: run make bench first.")
    readme.write_text(with_table(readme.read_text(encoding="utf-8"), markdown(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
