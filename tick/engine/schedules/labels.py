"""Labels of schedules, as SQL asks for them."""

import sqlalchemy as sa

from tick.store.tables import job_schedule

_s = job_schedule.c


def has_label(label: str) -> sa.ColumnElement[bool]:
    """Whether the schedule in the query around it has a label."""
    # Both databases write the list with each label in quotes, which none can contain.
    return sa.cast(_s.labels, sa.Text).contains(f'"{label}"', autoescape=True)
