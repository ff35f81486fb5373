"""Access: who may call (keys, clientId, denied collections), how often; and the company look-up."""

import base64
import binascii
import secrets
from typing import Any

from sandbox.connectwise.errors import VendorError, denied
from sandbox.credentials import Credentials
from sandbox.switches import Switches

API_VERSION = "2026.4"


def check_caller(authorization: str, client_id: str, known: Credentials, switches: Switches) -> None:
    """Refuse wrong company or keys or an unknown client id: VendorError with the statuses of the switches."""
    wanted = f"{known.company_id}+{known.public_key}:{known.private_key}"
    # The company's name is not case-sensitive at the login, the keys are.
    company, plus, keys = _decoded(authorization).partition("+")
    shown = f"{known.company_id if company.lower() == known.company_id.lower() else company}{plus}{keys}"
    if not secrets.compare_digest(shown.encode(), wanted.encode()):
        status = switches.bad_keys_status
        if status == 404:
            raise VendorError(404, "ConnectWiseApi", "The endpoint does not exist.")
        raise VendorError(status, "Unauthorized", "Invalid company, public key or private key.")
    if client_id.strip().lower() != known.client_id.lower():
        message = "A valid clientId header is required." if client_id else "The clientId header is missing."
        raise VendorError(switches.missing_client_id_status, "Unauthorized", message)


def check_right(collections: tuple[str, ...], switches: Switches) -> None:
    """Refuse what the API member's role does not reach; VendorError: 403 Security."""
    refused = {one.strip("/").lower() for one in switches.denied}
    if any(one.lower() in refused for one in collections):
        raise denied()


class TooManyRequestsError(VendorError):
    """429: its body says `error` where others say `code`."""

    def __init__(self, wait: int) -> None:
        message = f"Too many requests. Please try again in {wait} seconds."
        super().__init__(429, "ConnectWiseAPI", message, headers={"Retry-After": str(wait)})

    def body(self) -> dict[str, Any]:
        """`{error, message}`."""
        return {"error": self.code, "message": self.message}


def company_info(company_id: str, known: Credentials, switches: Switches) -> dict[str, Any] | None:
    """The answer of `/login/companyinfo/{id}`: where the company's server is; None for an unknown company."""
    if company_id.lower() != known.company_id.lower():
        return None
    return {
        "CompanyName": known.company_id,
        "Codebase": switches.codebase,
        "VersionCode": f"v{API_VERSION}",
        "VersionNumber": f"v{API_VERSION}.10000",
        "CompanyID": known.company_id,
        "IsCloud": False,
    }


def system_info() -> dict[str, Any]:
    return {
        "version": f"v{API_VERSION}.10000",
        "isCloud": False,
        "serverTimeZone": "UTC",
        "licenseBits": [{"name": "serviceDesk", "activeFlag": True}],
        "cloudRegion": "NA",
        "maxWorkFlowRecordsAllowed": 100000,
    }


def _decoded(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
