"""``python -m deployments.rotate_encryption_key OLD NEW``: encrypts the saved blocks anew, with another key.

``OLD`` and ``NEW`` are files that hold a Prefect server's encryption key, before and after. The server's
database is the one that ``PREFECT_SERVER_DATABASE_CONNECTION_URL`` names; stop the server first. Prefect
can't do this itself: with another key it can neither read, list nor delete what was saved with the old one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy.ext.asyncio import create_async_engine

ADDRESS = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
BLOCKS = sqlalchemy.table(
    "block_document", sqlalchemy.column("id"), sqlalchemy.column("data", sqlalchemy.JSON)
)


def main(arguments: list[str]) -> int:
    """Rotate, say how many blocks that were; the exit code is 1 when nothing was changed for a mistake."""
    address = os.environ.get(ADDRESS, "")
    if len(arguments) != 2 or not address:
        print(f"Give two key files, and the server's database in {ADDRESS}.", file=sys.stderr)
        return 1
    try:
        old, new = (Fernet(Path(name).read_bytes().strip()) for name in arguments)
        count = asyncio.run(rotate(address, old, new))
    except OSError as error:
        print(f"{error.filename} can't be read: {error.strerror}.", file=sys.stderr)
    except (InvalidToken, ValueError):
        print(
            "Nothing was changed: one of the files is no key, or not that of a saved block.", file=sys.stderr
        )
    else:
        print(f"{count} blocks are encrypted with the key in {arguments[1]} now. Start the server with it.")
        return 0
    return 1


async def rotate(address: str, old: Fernet, new: Fernet) -> int:
    """Encrypt every block anew in one transaction, those with the new key too; returns their number.

    Raises:
        InvalidToken: a block has neither key; nothing is changed then.
    """
    keys = MultiFernet([new, old])
    engine = create_async_engine(address)
    try:
        async with engine.begin() as connection:
            rows = (await connection.execute(sqlalchemy.select(BLOCKS))).all()
            for identity, data in rows:
                renewed = keys.rotate(data.encode()).decode()
                change = sqlalchemy.update(BLOCKS).where(BLOCKS.c.id == identity)
                await connection.execute(change.values(data=renewed))
    finally:
        await engine.dispose()
    return len(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
