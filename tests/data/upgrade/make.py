"""Makes ``ledger.sql.gz`` and ``prefect.sql.gz`` with the program as it was at commit 1c54c08.

Its imports are those of that commit, so it runs in a work tree of it::

    git worktree add --detach ../old 1c54c08 && cd ../old && make .venv/.ready
    cp -r NEW/tests/support/one_moment NEW/tests/support/upgrade_play.py NEW/tests/data/upgrade/make.py .
    .venv/bin/python make.py NEW/tests/data/upgrade

What names the machine is replaced: the sandbox's address by ``127.0.0.1:8099``, folders by ``/opt``.
"""

# ruff: noqa
import asyncio
import gzip
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import deployments.blocks
import deployments.local_prefect
import deployments.local_sandbox
import connectors.ledger.store
import connectors.ledger.models

import tasks.dispatch.block
import upgrade_play as play

KEY = "b2xkLWtleS1vbGQta2V5LW9sZC1rZXktb2xkLWtleS4="
PLACE = "127.0.0.1:8099"
ROOT = Path.cwd()
Ledger = connectors.ledger.store.Ledger


async def make(sandbox, ledger):
    await deployments.blocks.save_sandbox_blocks(sandbox.info, ledger)
    await deployments.blocks.save_field_nation_block(sandbox.info, "webhook-secret")
    rules = tasks.dispatch.block.DispatchRules(rules=play.RULES)
    await rules.save("default", overwrite=True)
    async with Ledger.open(ledger) as opened:
        await all_three(sandbox, opened)
    # The blocks that are kept name no machine.
    neutral = at_neutral_place(sandbox.info)
    await deployments.blocks.save_sandbox_blocks(neutral, Path("/opt/ledger.db"))
    await deployments.blocks.save_field_nation_block(neutral, "webhook-secret")


def at_neutral_place(info):
    import json

    port = sandbox_port(info)
    return json.loads(json.dumps(info).replace(f"127.0.0.1:{port}", PLACE))


def sandbox_port(info):
    return info["control"].partition("127.0.0.1:")[2].partition("/")[0]


async def all_three(sandbox, ledger):
    play.scene(sandbox, "provider")
    before = max(each["id"] for each in sandbox.state("company/configurations"))
    state = await play.synchronize(sandbox, "default")
    assert state.is_completed(), state
    await leave_open(sandbox, ledger, state, before)
    play.scene(sandbox, "enrichment")
    assert (await play.enrich(sandbox, "default")).is_completed()
    play.scene(sandbox, "dispatch")
    await play.dispatch(sandbox, "default", ledger.inbox.put)


async def leave_open(sandbox, ledger, state, before):
    """A batch as a kill leaves it: sent, and made by the server, and no outcome noted."""
    run_id = str(state.state_details.flow_run_id)
    made = [each for each in await ledger.writes_of_run(run_id) if each.operation == "create"]
    assert len(made) > 3, made
    entry = connectors.ledger.models.WriteEntry
    fields = ("operation", "record_kind", "asset_key", "record_name", "before", "after")
    entries = [entry(record_id=None, **{name: getattr(each, name) for name in fields}) for each in made[:3]]
    keys = [each.asset_key for each in entries]
    await ledger.note_batch("killed-run", "default", sandbox.company_id, keys, before, entries)


def dump(database, target, changes):
    with sqlite3.connect(database) as connection:
        for change in CLEARED if "prefect" in target.name else ():
            connection.execute(change)
        connection.commit()
        text = "\n".join(connection.iterdump()) + "\n"
    for old, new in changes:
        text = text.replace(old, new)
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(target, len(text), target.stat().st_size)
    for word in (str(ROOT), "/tmp", os.uname().nodename, os.environ.get("USER", "root@")):
        if word in text:
            at = text.index(word)
            print("STILL THERE:", word, text[max(0, at - 200) : at + 200])


CLEARED = ("DELETE FROM log", "DELETE FROM events", "DELETE FROM event_resources")


def main():
    target = Path(sys.argv[1])
    os.environ["PYTHONPATH"] = str(ROOT / "one_moment")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "prefect"
        home.mkdir()
        (home / "encryption.key").write_text(KEY)
        ledger = Path(folder) / "ledger.db"
        with deployments.local_sandbox.start_sandbox() as sandbox:
            del os.environ["PYTHONPATH"]
            with deployments.local_prefect.local_prefect(
                home, deployments.local_prefect.WITHOUT_EVENTS
            ) as server:
                from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

                with temporary_settings({PREFECT_API_URL: server.api_url, PREFECT_HOME: home}):
                    asyncio.run(make(sandbox, ledger))
                    deployments.local_prefect.send_what_is_queued()
                run = [sys.executable, "-m", "prefect", "--no-prompt"]
                subprocess.run(
                    [*run, "work-pool", "create", "--type", "process", "connectwise"],
                    env=dict(server.environment),
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                subprocess.run(
                    [*run, "deploy", "--all"],
                    cwd=ROOT,
                    env=dict(server.environment),
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
            port = sandbox_port(sandbox.info)
            changes = [
                (f"127.0.0.1:{port}", PLACE),
                (f"127.0.0.1:{server.port}", "127.0.0.1:4200"),
                (str(ROOT), "/opt/connectwise-flows"),
                (folder, "/opt"),
            ]
            dump(ledger, target / "ledger.sql.gz", changes)
            dump(home / "prefect.db", target / "prefect.sql.gz", changes)


main()
