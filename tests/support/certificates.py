"""One certificate instead of more than a hundred: reading them is most of what opening a client costs.

The tests speak to this machine alone, without TLS or with a certificate of their own.
"""

from __future__ import annotations

import os
from pathlib import Path

import certifi

VARIABLE = "SSL_CERT_FILE"
AS_IT_WAS = {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
"""The variable before any test, for one that speaks to other machines."""


def write_one_authority(folder: Path) -> Path:
    """A file with the first certificate of the usual ones."""
    text = Path(certifi.where()).read_text(encoding="utf-8")
    one, end, _ = text.partition("-----END CERTIFICATE-----\n")
    assert end
    file = folder / "one-authority.pem"
    file.write_text(one + end, encoding="utf-8")
    return file
