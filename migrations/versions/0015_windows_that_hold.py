"""Windows after which what was due in them fires, and what held a ledger row back."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

WINDOW = "maintenance_window"
SHRINKS = (WINDOW,)


def upgrade() -> None:
    by = "what let it be decided later than it was due"
    op.add_column("occurrence", sa.Column("held_by", sa.String(10), comment=by))
    until = sa.Column(
        "held_until", sa.DateTime(timezone=True), comment="from then on it could be decided"
    )
    op.add_column("occurrence", until)
    then = sa.Column(
        "run_after",
        sa.Boolean(),
        nullable=False,
        server_default=sa.false(),
        comment="what is due in it is held and fires after it; then over_at is set, too",
    )
    op.add_column(WINDOW, then)


def downgrade() -> None:
    # What they hold would be given up.
    window = sa.table(WINDOW, sa.column("run_after", sa.Boolean))
    op.execute(sa.delete(window).where(window.c.run_after))
    op.drop_column(WINDOW, "run_after")
    op.drop_column("occurrence", "held_until")
    op.drop_column("occurrence", "held_by")
