"""POST `/search` of tickets: the conditions travel in the body, paging and fields stay in the query."""

from sandbox.connectwise.errors import VendorError
from sandbox.connectwise.reading import Body

LONGEST_BODY = 10_000
MEMBERS = frozenset({"conditions", "orderby", "childconditions", "customfieldconditions"})


def search_query(body: Body) -> dict[str, str]:
    """The body's members as a list's query has them, by lower-case name.

    Raises:
        VendorError: 413 for a body above 10,000 characters (the number is the vendor's for moving from a URL
            to a search, the refusal assumed), 400 for a member that a search does not have.
    """
    if body.length > LONGEST_BODY:
        raise VendorError(413, "ConnectWiseApi", f"The request body exceeds {LONGEST_BODY} characters.")
    return filter_values(body, body.value)


def filter_values(body: Body, value: object, at: str = "") -> dict[str, str]:
    """A FilterValues object as query values; `at` is its place in the body.

    Raises:
        VendorError: not an object, or a member that it does not have.
    """
    members = body.object(value, MEMBERS, "FilterValues", at)
    return {name: str(one) for name, one in members.items() if one is not None and name in MEMBERS}
