"""How the flows run: on a Prefect server of one's own, on a laptop, and beside the vendors' webhooks.

Commands, each ``python -m deployments.NAME``:

- ``bootstrap``: makes a Prefect server ready; repeatable. Read it first.
- ``console``: the command ``connectwise-flows``, which has those above, the local stack and the runs.
- ``serve``: runs every deployment here, without a worker; ``serve_inbox``: keeps dispatch-inbox running.
- ``receiver``: takes callbacks and webhooks into the ledger's inbox.
- ``blocks``: saves connections of a running sandbox; bootstrap uses it for those of environment variables.
- ``rotate_encryption_key``: encrypts saved blocks anew.
- ``migrate_server``: makes the database ready for several Prefect servers.
- ``list_writes``: prints what was written as CSV.

``work_pool`` makes the pool that runs the flows, with the templates of ``work_pools/``; ``compose/``,
``kubernetes/`` and ``systemd/`` are installations. ``environment`` names the variables that several of them
read. ``local`` starts all of it on one machine: the
demos, the local stack, the tests.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from connectors.installation import check_packages, data_folder

ROOT = Path(__file__).resolve().parent.parent
"""Where the packages lie, a checkout or a folder of installed packages: commands run there, so that no module
of the current folder stands before ours."""
DEPLOYMENTS = Path(__file__).with_name("prefect.yaml")
"""Every deployment: ``prefect.yaml`` of the checkout, which the installed package has too."""
IN_CHECKOUT = (ROOT / "pyproject.toml").exists()
WORK = ROOT if IN_CHECKOUT else Path.cwd()
"""What a folder that is named without a beginning counts from: the checkout, or else the current folder."""
BUILD = ROOT / "build" if IN_CHECKOUT else data_folder(os.environ)
"""Where the demos and the local stack put what they make: in the checkout, or else among the user's data."""


def console_command(folder: Path | None = None) -> str:
    """``connectwise-flows`` as a person types it in the current folder.

    By its path where the shell does not find it, as in a checkout whose environment is not activated.

    Args:
        folder: where the command is installed; this interpreter's own by default.
    """
    command = (folder or Path(sys.executable).parent) / "connectwise-flows"
    found = shutil.which(command.name)
    if found and Path(found).parent == command.parent:
        return command.name
    here = Path.cwd()
    return str(command.relative_to(here) if command.is_relative_to(here) else command)


check_packages()
