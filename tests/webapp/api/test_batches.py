"""The same done to many runs, by the API."""

import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.api.client import Program
from tick.store.tables import audit_entry


def test_many_runs_are_cancelled_and_put_back(world: World, admin: Program) -> None:
    admin.post("/schedules/daily/trigger")
    ids = [run.id for run in world.runs()]
    first = ids[:1]
    assert admin.post("/runs/cancel", {"run_ids": [*first, 4711], "reason": "disk"}) == {
        "done": first,
        "refused": {"4711": "Run 4711 has ended, or is not there."},
    }
    body = {"run_ids": first, "only": True}
    assert admin.post("/runs/retry", body)["done"] == first
    a = audit_entry.c
    batches = world.rows(sa.select(a.action, a.reason).where(a.action.startswith("runs.")))
    assert [tuple(row) for row in batches] == [("runs.cancel", "disk"), ("runs.retry", None)]


def test_a_batch_is_bounded(admin: Program) -> None:
    for run_ids in ([], list(range(1, 1002))):
        problem = admin.refused(422, "POST", "/runs/cancel", {"run_ids": run_ids})
        assert problem.mistakes[0].where == "body.run_ids"
