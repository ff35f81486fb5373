"""Dispatch: intents, links between systems, inbox, synced notes, effects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds what keeps a ticket at one work order, and each message and note at one copy."""
    _create_intents()
    _create_links()
    _create_inbox()
    _create_synced_notes()
    _create_effects()


def downgrade() -> None:
    """Drops them; what was dispatched must then be found again by its reference."""
    for table in ("dispatch_effects", "synced_notes", "inbox", "links", "dispatch_intents"):
        op.drop_table(table)


def _create_intents() -> None:
    op.create_table(
        "dispatch_intents",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("record_kind", sa.String(20), nullable=False),
        sa.Column("record_id", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("reference", sa.String(60), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("work_order_id", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("sent_at", sa.Double),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("claimed_by", sa.String(100)),
        sa.Column("claimed_until", sa.Double),
        sa.UniqueConstraint(
            "tenant", "record_kind", "record_id", "generation", name="one_intent_a_generation"
        ),
        sa.UniqueConstraint("tenant", "work_order_id", name="one_intent_a_work_order"),
    )
    op.create_index("dispatch_intents_by_state", "dispatch_intents", ["tenant", "state"])


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("left_kind", sa.String(60), nullable=False),
        sa.Column("left_id", sa.String(100), nullable=False),
        sa.Column("right_kind", sa.String(60), nullable=False),
        sa.Column("right_id", sa.String(100), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.UniqueConstraint("tenant", "left_kind", "left_id", "right_kind", name="one_right_a_left"),
        sa.UniqueConstraint("tenant", "right_kind", "right_id", "left_kind", name="one_left_a_right"),
    )


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("next_attempt_at", sa.Double, nullable=False),
        sa.Column("settled_at", sa.Double),
        sa.Column("message", sa.Text),
        sa.Column("claimed_by", sa.String(100)),
        sa.Column("claimed_until", sa.Double),
        sa.UniqueConstraint("source", "message_id", name="one_row_a_message"),
    )
    op.create_index("inbox_by_state", "inbox", ["state", "next_attempt_at"])


def _create_synced_notes() -> None:
    op.create_table(
        "synced_notes",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("work_order_id", sa.BigInteger, nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("origin_id", sa.String(100), nullable=False),
        sa.Column("copy_id", sa.String(100)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("sent_at", sa.Double),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("claimed_by", sa.String(100)),
        sa.Column("claimed_until", sa.Double),
        sa.UniqueConstraint("tenant", "origin", "origin_id", name="one_row_a_note"),
        sa.UniqueConstraint("tenant", "origin", "copy_id", name="one_row_a_copy"),
    )
    op.create_index("synced_notes_by_work_order", "synced_notes", ["tenant", "work_order_id"])


def _create_effects() -> None:
    op.create_table(
        "dispatch_effects",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("work_order_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("result_id", sa.String(100)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("sent_at", sa.Double),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("claimed_by", sa.String(100)),
        sa.Column("claimed_until", sa.Double),
        sa.UniqueConstraint("tenant", "work_order_id", "name", name="one_row_an_effect"),
    )
