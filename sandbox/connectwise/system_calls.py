"""Requests below `/system` that are no collections: info, reports and bundles."""

from starlette.requests import Request

from sandbox.connectwise.access import check_right, system_info
from sandbox.connectwise.answering import Answer, read_body
from sandbox.connectwise.bundles import BUNDLES_NAME, Bundle
from sandbox.connectwise.callback_messages import KEY_WORDS
from sandbox.connectwise.errors import VendorError, no_endpoint
from sandbox.connectwise.paging import Address
from sandbox.connectwise.reports import REPORTS_NAME, report_reply
from sandbox.connectwise.store import Store
from sandbox.switches import Switches


async def system_answer(
    request: Request, words: list[str], address: Address, base: str, store: Store, switches: Switches
) -> Answer | None:
    """The answer if the path's words name one of these, otherwise None. `base` is the API root.

    Raises:
        VendorError: the request is refused.
    """
    match [word.lower() for word in words]:
        case ["system", "info"] if request.method == "GET":
            return Answer(200, system_info())
        case ["system", "reports", *_]:
            check_right((REPORTS_NAME,), switches)
            _require("GET", request)
            query = {name.lower(): value for name, value in address.query}
            reply = report_reply(words[2:], query, address, store, switches)
            return Answer(200, reply.value, {"Link": reply.link} if reply.link else {})
        case ["system", "bundles", *rest]:
            check_right((BUNDLES_NAME,), switches)
            return await _bundle(request, rest, base, store, switches)
    return None


def signing_key(words: list[str], store: Store) -> str | None:
    """The text of the signing key that the path's words name, None for every other path."""
    lower = tuple(word.lower() for word in words)
    return store.keys.text(lower[-1]) if lower[:-1] == KEY_WORDS else None


async def _bundle(request: Request, rest: list[str], base: str, store: Store, switches: Switches) -> Answer:
    if rest not in ([], ["count"]):
        raise no_endpoint()
    _require("POST", request)
    bundle = Bundle(await read_body(request), store, switches, base)
    return Answer(200, bundle.answer(counts_only=rest == ["count"]))


def _require(method: str, request: Request) -> None:
    if request.method != method:
        message = f"The requested resource does not support http method '{request.method}'."
        raise VendorError(405, "ConnectWiseApi", message)
