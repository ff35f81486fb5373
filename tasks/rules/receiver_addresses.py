"""Where the receiver takes messages, and what is registered at the vendors so that they come there."""

from __future__ import annotations

CONNECTWISE_PATH = "/connectwise/callbacks"
FIELD_NATION_PATH = "/field-nation/webhooks"


def callback_url(address: str) -> str:
    """What ConnectWise is given. It appends the record's id to the text as it stands (reference, 4.4)."""
    return f"{_base(address)}{CONNECTWISE_PATH}?recordId="


def webhook_url(address: str) -> str:
    """What Field Nation is given."""
    return f"{_base(address)}{FIELD_NATION_PATH}"


def _base(address: str) -> str:
    return address.strip().rstrip("/")
