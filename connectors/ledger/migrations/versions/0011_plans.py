"""Plans as they were shown, so that one of them can be applied by its id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables. Plans that were made before are not in them."""
    op.create_table(
        "plans",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("feature", sa.String(60), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("company", sa.String(200), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("begun_by", sa.String(100), nullable=False),
        sa.Column("applied_at", sa.Double),
        sa.Column("applied_by", sa.String(100), nullable=False),
    )
    op.create_index("plans_by_company", "plans", ["tenant", "feature", "company_id", "made_at"])
    op.create_table(
        "plan_parts",
        sa.Column("plan_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kept_at", sa.Double, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drops them; a plan is made again by the next run."""
    op.drop_table("plan_parts")
    op.drop_index("plans_by_company", "plans")
    op.drop_table("plans")
