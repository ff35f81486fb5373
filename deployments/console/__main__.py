"""``python -m deployments.console``: the command where its script is not on the path."""

from __future__ import annotations

from deployments.console.app import app

app()
