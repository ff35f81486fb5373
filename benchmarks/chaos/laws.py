"""What must be true of every schedule, whatever its flow: laws 2, 5 and 6, and runs that end as they may."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.chaos.verdict import KILLED, RAISED, TOO_LONG, RunRecord, Verdict

CALM = ("clean", "quiet")


def judge_runs(runs: list[RunRecord], verdict: Verdict) -> None:
    """Laws 2 and 5 by the requests that were served; a run in calm weather raises nothing.

    That a calm run ends with failures is for the truth of the flow to judge, and what it writes then.
    """
    finished = all(run.outcome == "Completed" for run in runs if run.kind == "clean")
    for run in runs:
        if run.kind in CALM and (run.outcome in (RAISED, KILLED) or run.counts is None):
            verdict.faults.append(f"the {run.kind} run ended as {run.outcome}: {run.error}")
        if run.error == TOO_LONG and run.kind not in CALM:
            verdict.faults.append(f"a disturbed run did not end: {run.mishap}")
        dry = run.mishap is not None and run.mishap.dry_run
        law = "law 2" if run.kind == "quiet" and finished else "law 5" if dry else ""
        if law:
            verdict.checked[law] += int(run.requests["total"])
            if writes := int(run.requests["writes"]):
                verdict.faults.append(f"{law}: a {'dry' if dry else 'quiet'} run sent {writes} writes")


def judge_secrets(info: dict[str, Any], log: bytes, ledger: Path, verdict: Verdict) -> None:
    """Law 6: no secret in what the runs logged, nor in the ledger's files."""
    texts = {"the log": log}
    texts |= {each.name: each.read_bytes() for each in ledger.parent.glob(f"{ledger.name}*")}
    for name, secret in secrets_of(info):
        for place, text in texts.items():
            verdict.checked["law 6"] += 1
            if secret.encode() in text:
                verdict.faults.append(f"law 6: {name} is in {place}")


def secrets_of(info: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The sandbox's credentials, also in the forms in which they travel."""
    account = info["connectwise"]
    login = f"{account['company_id']}+{account['public_key']}:{account['private_key']}"
    yield "ConnectWise's private key", account["private_key"]
    yield "ConnectWise's Authorization header", base64.b64encode(login.encode()).decode()
    yield "Lansweeper's access token", info["lansweeper"]["access_token"]
