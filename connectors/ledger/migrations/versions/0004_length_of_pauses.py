"""How long a vendor asked to pause, so that a clock which was ahead can't make it longer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the length. Of a pause that stands it is not known: it ends, and the vendor may ask again."""
    op.add_column(
        "request_pauses", sa.Column("asked_seconds", sa.Double, nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_column("request_pauses", "asked_seconds")
