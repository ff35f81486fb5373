"""What the browser's tests need of the machine, and what to say where it is missing."""

from __future__ import annotations

import importlib.util
import shutil

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """The installed browser; Playwright's own download of one is not asked for."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def missing() -> list[str]:
    """What is missing, each with what installs it."""
    found = []
    if importlib.util.find_spec("playwright") is None:
        found.append("The package playwright is missing: pip install -c constraints.txt -e '.[browser]'.")
    if browser_path() is None:
        found.append("The browser is missing: install Debian's package 'chromium'.")
    return found
