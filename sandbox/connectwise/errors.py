"""Refusals in the vendor's words: HTTP status, code, message and the errors of single fields."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

WRONG_CODEBASE = "Cannot route. Codebase/company is invalid"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `errors`."""

    code: str
    message: str
    field: str

    def body(self, resource: str) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "resource": resource, "field": self.field}


def missing(name: str) -> FieldError:
    """A required member that is not there."""
    return FieldError("MissingRequiredField", f"The {name} field is required.", name)


@dataclass(slots=True)
class VendorError(Exception):
    """A request that is refused; `body` gives the answer's JSON."""

    status: int
    code: str
    message: str
    errors: list[dict[str, str]] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """`{code, message, errors}`, the errors null where no single field is at fault."""
        return {"code": self.code, "message": self.message, "errors": self.errors}


def invalid(resource: str, found: list[FieldError]) -> VendorError:
    """A body that breaks the rules of its record."""
    errors = [each.body(resource) for each in found]
    return VendorError(400, "InvalidObject", f"{resource} object is invalid", errors)


def bad_condition(message: str) -> VendorError:
    """A condition, order or field list that can't be used."""
    return VendorError(400, "ApiFindCondition", message)


def bad_body(message: str) -> VendorError:
    """A body that can't be read as the record it should be."""
    hint = "Check your accept header to make sure you are using the correct version."
    return VendorError(400, "ConnectWiseApi", message + hint)


def not_found(label: str, record_id: object) -> VendorError:
    return VendorError(404, "NotFound", f"{label} {record_id} not found")


def no_endpoint() -> VendorError:
    """No such path."""
    return VendorError(404, "ConnectWiseApi", "The endpoint does not exist.")


def not_allowed(method: str, allowed: Iterable[str] = ()) -> VendorError:
    """The path is there, but not with this method; `allowed` are those that it has."""
    message = f"The requested resource does not support http method '{method}'."
    return VendorError(405, "ConnectWiseApi", message, headers={"Allow": ", ".join(sorted(set(allowed)))})


def denied() -> VendorError:
    """The API member's security role lacks the right."""
    return VendorError(403, "Security", "You do not have security permission to perform this action.")
