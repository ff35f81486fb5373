"""Addresses of the logos that the block catalogue of the Prefect UI shows.

They are Prefect's own glyphs, from where Prefect's own blocks take theirs, so that they are seen wherever
those are (docs/adr/0016-logos-are-prefects-own.md). None is a vendor's trademark.
"""

from __future__ import annotations

_FOLDER = (
    "https://raw.githubusercontent.com/PrefectHQ/prefect/420d0d6a78bb6df1fc18bcf188fdad43c1d22ea9"
    "/assets/block-logos/"
)
WEB_API = f"{_FOLDER}webhook.png"
"""A connection to a vendor's API."""
STORAGE = f"{_FOLDER}filesystem.png"
PROCESS = f"{_FOLDER}process.png"
"""Rules by which something runs."""
MAIL = f"{_FOLDER}email.png"
