"""Environment and credentials of a Field Nation client, checked before anything is sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Literal

from connectors.connection import check_base_url, is_loopback
from connectors.errors import StopError

SYSTEM = "Field Nation"
Environment = Literal["sandbox", "production"]
HOSTS: dict[str, str] = {
    "sandbox": "https://api-sandbox.fndev.net",
    "production": "https://api.fieldnation.com",
}
APPS: dict[str, str] = {
    "sandbox": "https://app-sandbox.fndev.net",
    "production": "https://app.fieldnation.com",
}
REQUEST_LIMITS: tuple[tuple[int, float], ...] = ((60, 60.0),)
"""(requests, seconds): 60 a minute for a company, token calls apart (docs/vendors.md, Field Nation 8.2)."""
_WORDS = {
    "client_id": "client ID",
    "client_secret": "client secret",
    "username": "user name",
    "password": "password",
}
_REMEDIES = {
    "client_id": "Field Nation issues it after a support request, one for each environment.",
    "client_secret": "Field Nation issues it after a support request, one for each environment.",
    "username": "Enter the Field Nation buyer user that shall appear in the work orders' history.",
    "password": "Enter the password of that user; the two environments have users of their own.",
}


@dataclass(frozen=True, slots=True)
class FieldNationSettings:
    """Environment and credentials of one Field Nation company; secrets never show in its repr.

    Attributes:
        environment: ids and credentials differ between the two.
        username: the buyer user that appears as the actor in the work orders' history.
        webhook_secret: what webhooks are signed with; the vendor wants a UUID. Empty: none is used.
        base_address: an address on this machine that takes the place of the environment's, for a sandbox.

    Raises:
        StopError: a setting is empty or can't be what its name says.
    """

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    username: str
    password: str = field(repr=False)
    environment: Environment = "sandbox"
    webhook_secret: str = field(default="", repr=False)
    base_address: str = ""

    def __post_init__(self) -> None:
        for item in fields(self):
            # Pasted values come with blanks and line breaks around them; a password may mean its blanks.
            if item.name != "password":
                object.__setattr__(self, item.name, getattr(self, item.name).strip())
        if self.environment not in HOSTS:
            raise StopError(
                f"{SYSTEM} has no environment {self.environment!r}", remedy="Choose sandbox or production."
            )
        for name, words in _WORDS.items():
            if not getattr(self, name):
                raise StopError(f"The {words} of {SYSTEM} is empty", remedy=_REMEDIES[name])
        self._check_address()

    def _check_address(self) -> None:
        if self.base_address and not is_loopback(check_base_url(self.base_address, SYSTEM)):
            raise StopError(
                f"The base address of {SYSTEM} is not on this machine",
                remedy="It is for a local sandbox only: leave it empty and choose the environment.",
            )

    @property
    def base_url(self) -> str:
        """Scheme, host and port that requests go to."""
        return (self.base_address or HOSTS[self.environment]).rstrip("/")

    @property
    def credential_key(self) -> str:
        """Names the client, which Field Nation issues to one company; a hash, no credential."""
        owner = hashlib.sha256(self.client_id.encode()).hexdigest()[:16]
        return f"fieldnation:{self.base_url.partition('://')[2]}:{owner}"

    def tenant_key(self, company_id: int) -> str:
        """Names a company in this environment, whichever of its clients is used (ADR 0012)."""
        return f"fieldnation:{self.base_url.partition('://')[2]}:company-{company_id}"

    def work_order_url(self, work_order_id: int) -> str:
        """Where a person opens a work order in a browser."""
        return f"{APPS[self.environment]}/workorders/{int(work_order_id)}"

    def secrets(self) -> list[str]:
        """Texts that no message may show."""
        given = [self.client_id, self.client_secret, self.password, self.webhook_secret]
        return [one for one in given if one]
