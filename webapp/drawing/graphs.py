"""Dependencies as a nested list, from which static/graph.js draws its picture."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from tick.define.jobs import JobDefinition
from tick.ops.queries.neighbours import Neighbour
from tick.ops.queries.runs import Run

MOST_LEVELS = 20


@dataclass(frozen=True)
class Node:
    """A job or a run in a graph; `needs` are the ids of the nodes that it waits for."""

    id: str
    href: str
    label: str
    note: str
    state: str | None
    needs: tuple[str, ...] = ()
    tolerates: tuple[str, ...] = ()
    """The ids among `needs` whose failure does not keep it from running."""


@dataclass(frozen=True)
class Branch:
    """A node in the nested list, below the last of what it waits for; `also` names the rest."""

    node: Node
    also: tuple[str, ...]
    below: tuple["Branch", ...]


def of_jobs(
    jobs: Iterable[JobDefinition], latest: Mapping[str, Run], *, link: Callable[[str], str]
) -> list[Node]:
    """Return the jobs as nodes, with the state of each one's latest run."""
    return [
        Node(
            id=job.name,
            href=link(job.name),
            label=job.name,
            note=job.group,
            state=latest[job.name].status if job.name in latest else None,
            needs=job.depends_on,
            tolerates=job.depends_on if job.always else tuple(sorted(job.tolerates)),
        )
        for job in jobs
    ]


def of_runs(
    runs: Sequence[Run], upstream: Mapping[int, Sequence[Neighbour]], *, link: Callable[[int], str]
) -> list[Node]:
    """Return the runs of an occurrence as nodes."""
    return [
        Node(
            id=str(run.id),
            href=link(run.id),
            label=run.job_name,
            note=run.job_group,
            state=run.status,
            needs=tuple(str(other.run_id) for other in awaited),
            tolerates=tuple(str(other.run_id) for other in awaited if other.tolerant),
        )
        for run in runs
        for awaited in [upstream.get(run.id, ())]
    ]


def nested(nodes: Sequence[Node]) -> tuple[Branch, ...]:
    """Return the nodes as a tree: each one once, below the deepest node that it waits for."""
    # Needs outside of these nodes count for nothing: a page shows only some of the runs.
    known = {node.id: node for node in nodes}
    needs = {node.id: [need for need in node.needs if need in known] for node in nodes}
    depths: dict[str, int] = {}
    parents: dict[str, str | None] = {}
    below: dict[str | None, list[Node]] = {}
    for id in TopologicalSorter(needs).static_order():
        parent = max(needs[id], key=lambda need: depths[need], default=None)
        # A chain of hundreds would indent past the edge of the page, and recurse as deep.
        if parent is not None and depths[parent] >= MOST_LEVELS:
            parent = parents[parent]
        depths[id] = 1 if parent is None else depths[parent] + 1
        parents[id] = parent
        below.setdefault(parent, []).append(known[id])

    def branch(node: Node) -> Branch:
        also = [known[need].label for need in needs[node.id] if need != parents[node.id]]
        return Branch(node, tuple(also), tuple(map(branch, below.get(node.id, ()))))

    return tuple(map(branch, below.get(None, ())))
