"""Ends counted by hour, so that statistics stay fast."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from tick.store.sql import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SHRINKS = ("setting",)
UNCOUNTED = {
    "job_run": "NOT counted AND finished_at IS NOT NULL",
    "occurrence": "NOT counted AND outcome NOT IN ('QUEUED', 'RUNNING')",
}
SETTINGS = ("prune-turn", "pruned-ledger", "pruned-ticks")
OUTCOMES = (
    *("success", "failed", "partial", "cancelled", "missed", "coalesced", "skipped_overlap"),
    *("suppressed", "blackout", "fire_failed", "held"),
)


def upgrade() -> None:
    for table, uncounted in UNCOUNTED.items():
        comment = "its end is in the table of hours"
        counted = sa.Column(
            "counted", sa.Boolean, server_default=sa.false(), nullable=False, comment=comment
        )
        op.add_column(table, counted)
        where = sa.text(uncounted)
        op.create_index(
            f"ix_{table}_uncounted", table, ["id"], postgresql_where=where, sqlite_where=where
        )
    op.create_table(
        "run_hour",
        sa.Column("hour", UtcDateTime(), nullable=False, comment="in which the runs ended"),
        sa.Column("job_name", sa.String(100), nullable=False),
        *numbers("succeeded", "failed", "cancelled", "skipped"),
        *seconds("took_seconds", "lost_seconds", "waited_seconds"),
        *numbers(*(f"took_{number}" for number in range(38))),
        *numbers(*(f"waited_{number}" for number in range(17))),
        sa.PrimaryKeyConstraint("hour", "job_name", name=op.f("pk_run_hour")),
    )
    op.create_table(
        "occurrence_hour",
        sa.Column("hour", UtcDateTime(), nullable=False, comment="of the nominal instants"),
        sa.Column("schedule_id", sa.String(50), nullable=False),
        *numbers(*OUTCOMES),
        *seconds("took_seconds", "late_seconds"),
        *numbers(*(f"took_{number}" for number in range(38))),
        *numbers(*(f"late_{number}" for number in range(13))),
        sa.PrimaryKeyConstraint("hour", "schedule_id", name=op.f("pk_occurrence_hour")),
    )
    where = sa.text("worker_id IS NOT NULL")
    op.create_index(
        "ix_job_run_worker_id_id",
        "job_run",
        ["worker_id", "id"],
        postgresql_where=where,
        sqlite_where=where,
    )
    setting = sa.table(
        "setting",
        sa.column("name"),
        sa.column("value", sa.JSON),
        sa.column("updated_at", UtcDateTime()),
        sa.column("updated_by"),
    )
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    row = {"value": {}, "updated_at": long_ago, "updated_by": "system"}
    op.bulk_insert(setting, [{"name": name, **row} for name in SETTINGS])


def numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in names]


def seconds(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(), server_default="0", nullable=False) for name in names]


def downgrade() -> None:
    for name in SETTINGS:
        setting = sa.table("setting", sa.column("name"))
        op.execute(sa.delete(setting).where(setting.c.name == name))
    op.drop_index("ix_job_run_worker_id_id", table_name="job_run")
    op.drop_table("occurrence_hour")
    op.drop_table("run_hour")
    for table in UNCOUNTED:
        op.drop_index(f"ix_{table}_uncounted", table_name=table)
        op.drop_column(table, "counted")
