"""How the flows run: on a Prefect server of one's own, on a laptop, and beside the vendors' webhooks.

Commands, each ``python -m deployments.NAME``:

- ``bootstrap``: makes a Prefect server ready; repeatable. Read it first.
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

from pathlib import Path

from connectors.installation import check_packages

ROOT = Path(__file__).resolve().parent.parent
"""Where the packages lie, a checkout or a folder of installed packages: commands run there, so that no module
of the current folder stands before ours."""
DEPLOYMENTS = Path(__file__).with_name("prefect.yaml")
"""Every deployment: ``prefect.yaml`` of the checkout, which the installed package has too."""
WORK = ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()
"""Where the demos and the local stack put what they make: the checkout, or outside one the current folder."""

check_packages()
