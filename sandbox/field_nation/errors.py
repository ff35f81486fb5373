"""Refusals in Field Nation's two shapes: the error catalogue's problem+json, and ``{status, message}``."""

from __future__ import annotations

from typing import Any

CATALOGUE = "https://developer.fieldnation.com/error-codes"
_CODES = {
    400: ("VALIDATION_ERROR", "FIX_INPUT"),
    401: ("AUTHENTICATION_REQUIRED", "REAUTHENTICATE"),
    403: ("INSUFFICIENT_PERMISSIONS", "ESCALATE"),
    404: ("RESOURCE_NOT_FOUND", "FIX_INPUT"),
    409: ("VALIDATION_ERROR", "FIX_INPUT"),
    429: ("RATE_LIMIT_EXCEEDED", "RETRY"),
}


class FieldNationError(Exception):
    """A refusal. ``pointers``: JSON pointer of each member at fault, and what is wrong with it."""

    def __init__(
        self,
        status: int,
        detail: str,
        pointers: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.pointers = pointers or {}
        self.headers = headers or {}

    def problem(self, correlation_id: str) -> dict[str, Any]:
        """The body of ``application/problem+json``."""
        code, action = _CODES.get(self.status, ("INTERNAL_ERROR", "RETRY"))
        retryable = self.status == 429
        agent: dict[str, Any] = {"action": action}
        if retryable:
            agent |= {"backoffMs": 60_000, "maxAttempts": 3}
        body: dict[str, Any] = {
            "type": f"{CATALOGUE}/{code.lower().replace('_', '-')}",
            "title": code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "code": code,
            "retryable": retryable,
            "correlationId": correlation_id,
            "agent": agent,
        }
        if self.pointers:
            body["errors"] = [{"detail": why, "pointer": where} for where, why in self.pointers.items()]
        return body

    def message(self) -> dict[str, Any]:
        """The body of the REST specification: ``{status, message}``."""
        faults = "; ".join(f"{where}: {why}" for where, why in self.pointers.items())
        return {"status": self.status, "message": f"{self.detail} ({faults})" if faults else self.detail}


def not_found(what: str, number: object) -> FieldNationError:
    """404 in the vendor's code; old servers answer 401 instead (switch)."""
    return FieldNationError(404, f"{what} {number} was not found.")
