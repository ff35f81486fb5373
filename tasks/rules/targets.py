"""The ConnectWise paths that a mapping may write: kind, length and how a reference is named.

The paths are the 41 of the connector page's "Available ConnectWise paths", plus ``name``,
``purchaseDate`` and ``installationDate``; lengths are those of the vendor's OpenAPI description
(schema ``Company.Configuration``).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum

CUSTOM_FIELD_PREFIX = "customFields."


class Kind(StrEnum):
    """How two values of a target are compared and written."""

    TEXT = "text"
    MAC = "mac"
    DATE_TIME = "date-time"
    NUMBER = "number"
    BOOLEAN = "boolean"
    REFERENCE = "reference"
    CUSTOM = "custom field"


@dataclass(frozen=True, slots=True)
class Target:
    """One writable ConnectWise path; ``max_length`` is in characters, None where none is stated."""

    path: str
    kind: Kind = Kind.TEXT
    max_length: int | None = None

    @property
    def field(self) -> str:
        """The member of the configuration record that is written: ``type`` for ``type.name``."""
        return self.path.partition(".")[0]


_REFERENCES = {
    "type.name": 50,
    "status.name": 50,
    "company.name": None,
    "contact.name": None,
    "vendor.name": None,
    "site.name": None,
    "location.name": 50,
    "department.name": None,
    "manufacturer.name": 50,
}
_TEXTS = {
    "name": 100,
    "serialNumber": 250,
    "deviceIdentifier": 100,
    "modelNumber": 50,
    "tagNumber": 50,
    "vendorNotes": None,
    "notes": None,
    "lastLoginName": 100,
    "backupServerName": 50,
    "backupProtectedDeviceList": None,
    "ipAddress": 50,
    "defaultGateway": 50,
    "osType": 250,
    "osInfo": 250,
    "cpuSpeed": 100,
    "ram": 25,
    "localHardDrives": None,
    "mobileGuid": None,
}
_DATES = ("warrantyExpirationDate", "purchaseDate", "installationDate")
_NUMBERS = (
    "backupSuccesses",
    "backupIncomplete",
    "backupFailed",
    "backupRestores",
    "backupBillableSpaceGb",
    "backupYear",
    "backupMonth",
    "companyLocationId",
)
_BOOLEANS = ("billFlag", "activeFlag", "showRemoteFlag", "showAutomateFlag", "needsRenewalFlag")

TARGETS: dict[str, Target] = {
    target.path: target
    for target in (
        *(Target(path, Kind.REFERENCE, length) for path, length in _REFERENCES.items()),
        *(Target(path, Kind.TEXT, length) for path, length in _TEXTS.items()),
        Target("macAddress", Kind.MAC, 25),
        *(Target(path, Kind.DATE_TIME) for path in _DATES),
        *(Target(path, Kind.NUMBER) for path in _NUMBERS),
        *(Target(path, Kind.BOOLEAN) for path in _BOOLEANS),
    )
}


def custom_field_target(caption: str) -> Target:
    """The target of a custom field, named by its caption; ConnectWise keeps it under ``customFields``."""
    return Target(CUSTOM_FIELD_PREFIX + caption, Kind.CUSTOM)


def near_matches(path: str) -> list[str]:
    """Up to three writable paths that look like ``path``, for the message of an unknown target."""
    by_lower = {known.lower(): known for known in TARGETS}
    close = difflib.get_close_matches(path.lower(), by_lower, n=3, cutoff=0.5)
    return [by_lower[name] for name in close]
