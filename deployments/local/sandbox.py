"""Starts the sandbox as a process and speaks to its control addresses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from deployments import ROOT

TRIAL_BOARD, TRIAL_STATUS = "Help Desk", "In Progress"
"""A board and a status that every scenario of the sandbox has."""


class Sandbox:
    """The running sandbox: ``info`` is its first line; the methods are its control addresses."""

    def __init__(self, info: dict[str, Any], process: subprocess.Popen[str]) -> None:
        self.info = info
        self.process = process
        self._http = httpx.Client(base_url=info["control"], timeout=300)

    @property
    def company_id(self) -> int:
        return int(self.info["companies"][0]["id"])

    @property
    def company(self) -> str:
        return str(self.info["companies"][0]["identifier"])

    def reset(
        self,
        seed: int = 7,
        assets: int = 60,
        scenario: str = "provider",
        switches: dict[str, Any] | None = None,
        **sizes: int,
    ) -> None:
        """Fresh data, no faults, no requests; ``sizes``: numbers of ``agreements`` and ``tickets``."""
        body = {"seed": seed, "assets": assets, "scenario": scenario, "switches": switches or {}}
        self._send("POST", "/reset", body | sizes)
        self.faults([])
        self.clear_requests()

    def faults(self, rules: list[dict[str, Any]]) -> None:
        self._send("PUT", "/faults", rules)

    def faults_fired(self) -> list[int]:
        """How often each fault rule was applied, in the order of the rules."""
        return [int(each["fired"]) for each in self._send("GET", "/faults")]

    def switch(self, **switches: Any) -> None:
        self._send("PUT", "/switches", switches)

    def switches(self) -> dict[str, Any]:
        return dict(self._send("GET", "/switches"))

    def requests(self) -> dict[str, Any]:
        return dict(self._send("GET", "/requests"))

    def clear_requests(self) -> None:
        self._send("DELETE", "/requests")

    def state(self, collection: str) -> list[dict[str, Any]]:
        return list(self._send("GET", f"/state/{collection}"))

    def count(self, collection: str, company_id: int | None = None) -> int:
        """How many records a collection holds, or how many of them one company owns."""
        query = "" if company_id is None else f"?company={company_id}"
        return int(self._send("GET", f"/count/{collection}{query}")["count"])

    def keep_history(self, *collections: str) -> None:
        """From now on, until the next reset, keep what happens to the records of these collections."""
        self._send("POST", "/history", {"collections": collections})

    def history(self, collection: str) -> list[dict[str, Any]]:
        """A kept collection's entries, see sandbox/history.py; RuntimeError where some are missing."""
        found = self._send("GET", f"/history/{collection}")
        if found["cut"] or not found["kept"]:
            raise RuntimeError(f"The history of {collection} is not whole")
        return list(found["entries"])

    def edit(self, collection: str, record_id: int | str, changes: dict[str, Any]) -> None:
        self._send("POST", "/edit", {"collection": collection, "id": record_id, "set": changes})

    def add(self, collection: str, record: dict[str, Any]) -> int:
        """A person adds a ConnectWise record; its id."""
        return int(self._send("POST", "/add", {"collection": collection, "record": record})["id"])

    def delete(self, collection: str, record_id: int | str) -> None:
        self._send("POST", "/delete", {"collection": collection, "id": record_id})

    def merge(self, collection: str, into: int, record_ids: list[int], status: int | None = None) -> None:
        """Tickets or companies become part of another; a ticket may be told its closing status."""
        body = {"collection": collection, "id": into, "ids": record_ids, "status": status}
        self._send("POST", "/merge", body)

    def move(self, to: int, *, ids: list[int] | None = None, owner: int = 0, share: float = 1.0) -> list[int]:
        """Configurations, those of ``ids`` or a share of the company ``owner``, go to company ``to``."""
        chosen = {"ids": ids} if ids is not None else {"from": owner, "share": share}
        return list(self._send("POST", "/move", {"to": to, **chosen})["ids"])

    def churn(self, share: float, kinds: list[str] | None = None) -> Any:
        body: dict[str, Any] = {"share": share}
        return self._send("POST", "/churn", body | ({"kinds": kinds} if kinds else {}))

    def ticket_churn(self, share: float, kinds: list[str] | None = None) -> Any:
        """Close, reopen, attach, detach, add and delete tickets: that share of them; their ids by kind."""
        body: dict[str, Any] = {"share": share}
        return self._send("POST", "/ticket-churn", body | ({"kinds": kinds} if kinds else {}))

    def provider(self, work_order_id: int, step: str, **given: Any) -> dict[str, Any]:
        """A step of Field Nation's provider or platform: those of sandbox/field_nation/provider.py."""
        return dict(self._send("POST", f"/field-nation/workorders/{work_order_id}/{step}", given))

    def field_nation(self, method: str, path: str, body: Any = None) -> Any:
        """Another control address of the sandbox's Field Nation, such as ``deliveries``."""
        return self._send(method, f"/field-nation/{path}", body)

    def callbacks(self, method: str = "GET", path: str = "", body: Any = None) -> Any:
        """ConnectWise's callbacks sent so far (GET), their faults (PUT), ``forge``, ``rotate-key`` (POST)."""
        return self._send(method, f"/callbacks/{path}".rstrip("/"), body)

    def close(self) -> None:
        self._http.close()
        self.process.terminate()
        self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def start_sandbox(*arguments: str) -> Iterator[Sandbox]:
    """Run ``python -m sandbox`` on a free port until the block ends; RuntimeError when it does not start."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        process.wait(timeout=10)
        raise RuntimeError(f"The sandbox ended with exit code {process.returncode} before it was ready.")
    sandbox = Sandbox(json.loads(line), process)
    try:
        yield sandbox
    finally:
        sandbox.close()
