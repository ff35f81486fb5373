"""The vendors' published files: beside the checkout (../shared/reference), or where VENDOR_REFERENCE says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REFERENCE = Path(
    os.environ.get("VENDOR_REFERENCE", Path(__file__).resolve().parents[3] / "shared" / "reference")
)


def vendor_file(name: str) -> Path:
    """The file of that name; where it is not there, the test, or the whole module that asks, is skipped."""
    found = REFERENCE / name
    if not found.exists():
        pytest.skip(f"the vendor's file {name} is not in ../shared/reference", allow_module_level=True)
    return found
