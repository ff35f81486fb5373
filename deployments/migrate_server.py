"""``python -m deployments.migrate_server``: makes the database ready for several Prefect servers; repeatable.

A Prefect server that is alone migrates its database when it starts, and registers the blocks of Prefect and
of what is installed. Two that start together both try, and one of them ends with an error. So this does both
once, before they start, and they are told not to (``compose/compose.yaml``, ``kubernetes/settings.yaml``).
The database is the one that ``PREFECT_SERVER_DATABASE_CONNECTION_URL`` names.
"""

from __future__ import annotations

import asyncio
import sys

from prefect.plugins import load_prefect_collections
from prefect.server.database import provide_database_interface
from prefect.server.models.block_registration import run_block_auto_registration


def main() -> int:
    asyncio.run(migrate())
    print("The database is of this version, and the blocks are registered.")
    return 0


async def migrate() -> None:
    """Bring the tables up to date, then the blocks: what a server does when it starts."""
    load_prefect_collections()
    database = provide_database_interface()
    await database.create_db()
    async with await database.session() as session:
        await run_block_auto_registration(session=session)


if __name__ == "__main__":
    sys.exit(main())
