"""Refusals in Lansweeper's words, each with the HTTP status that goes with it.

Texts marked A have no source; the sandbox chose them (docs/vendors.md, Lansweeper 2).
"""

from __future__ import annotations

from graphql import GraphQLError

NOT_LOGGED_IN = "Context creation failed: You must be logged in."
NOT_AUTHORIZED = "You are not authorized to perform this action"
FOREIGN_SITE = "You don't have access to this site"
MALFORMED_SITE = "The site id is not valid"  # A
TOO_MANY_REQUESTS = "Too many requests, please try again later."  # A
TOO_LARGE = "The response exceeds the maximum size of 4 MB. Request fewer assets or fewer fields."  # A
NO_QUERY = "POST body missing, invalid Content-Type, or JSON object has no keys."  # A


def too_many_aliases(number: int, limit: int) -> str:
    """A: the words of a common guard of GraphQL servers; the vendor's are not recorded."""
    return f"Syntax Error: Aliases limit of {limit} exceeded, found {number}."


class RefusedError(GraphQLError):
    """A field that is answered with null and an error; ``status`` becomes the answer's HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: GraphQLError) -> int:
    """The HTTP status that an error of an execution asks for: its refusal's, else 400."""
    return getattr(error.original_error or error, "status", 400)


def invalid_path(path: str) -> RefusedError:
    """A path in ``fields`` that assets do not have, or a bare section."""
    return RefusedError(f"Invalid path: {path}")


def invalid_filter_path(path: str) -> RefusedError:
    """The same in a filter."""
    return RefusedError(f"Invalid path: root.{path} for filter")


def unknown_asset(key: str) -> RefusedError:
    """A: what an unknown key gives is not recorded."""
    return RefusedError(f"Asset '{key}' not found", 404)
