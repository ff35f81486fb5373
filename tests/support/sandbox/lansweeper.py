"""A minimal GraphQL caller: the tests hold the sandbox against requests that our own client did not write."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from deployments.local.sandbox import Sandbox

PAGE = """
query (
  $id: ID!, $fields: [String!]!, $page: AssetsPaginationInputValidated, $filters: AssetsFilterGroupedInput
) {
  site(id: $id) {
    assetResources(assetPagination: $page, fields: $fields, filters: $filters) {
      pagination { limit current next page }
      items
    }
  }
}
"""
# The sandbox of the tests speaks plain HTTP; reading the machine's certificates for each call is slow.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
FIRST_PAGE = PAGE.replace("pagination { limit", "total pagination { limit")


class Caller:
    """Posts queries to one sandbox with a token."""

    def __init__(self, sandbox: Sandbox, authorization: str | None = None) -> None:
        self.info = sandbox.info["lansweeper"]
        self.site_id = self.info["site_id"]
        given = f"Token {self.info['access_token']}" if authorization is None else authorization
        self.headers = {"Authorization": given}

    def post(self, query: str, variables: dict[str, Any] | None = None) -> httpx.Response:
        body = {"query": query, "variables": variables or {}}
        return httpx.post(self.info["endpoint"], json=body, headers=self.headers, timeout=30, verify=NO_TLS)

    def site(self, selection: str, operation: str = "query") -> httpx.Response:
        return self.post(f'{operation} {{ site(id: "{self.site_id}") {{ {selection} }} }}')

    def page(
        self, fields: list[str], *, query: str = PAGE, filters: Any = None, **page: Any
    ) -> httpx.Response:
        variables = {"id": self.site_id, "fields": fields, "page": page, "filters": filters}
        return self.post(query, variables)

    def items(self, fields: list[str], filters: Any = None) -> list[dict[str, Any]]:
        return list(
            self.page(fields, filters=filters, limit=500).json()["data"]["site"]["assetResources"]["items"]
        )
