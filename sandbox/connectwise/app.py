"""The ConnectWise PSA side of the sandbox as an ASGI application."""

from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.connectwise.store import Store
from sandbox.switches import Switches


class Credentials(Protocol):
    """What a caller must show."""

    company_id: str
    public_key: str
    private_key: str
    client_id: str


class World(Protocol):
    """What the application needs of the sandbox; the store may be exchanged while it runs."""

    store: Store
    switches: Switches
    credentials: Credentials


def connectwise_app(world: World) -> ASGIApp:
    """The vendor's server: `/login/companyinfo/{id}` and `/v4_6_release/apis/3.0/...`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError

    return app
