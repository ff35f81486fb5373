"""Runs migrations on the connection that the ledger hands over; it holds the lock and the transaction."""

from __future__ import annotations

from alembic import context

from connectors.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
