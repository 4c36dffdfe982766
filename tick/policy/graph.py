"""Selects the jobs of a firing, in the order of their dependencies. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise


@dataclass(frozen=True)
class Edge:
    """`job` waits for `depends_on`; a tolerant edge is content with any end."""

    job: str
    depends_on: str
    tolerant: bool = False
    # By `tolerates`: a job that merely runs `always` is tolerant, and still its input has failed.
    tolerated: bool = False


@dataclass(frozen=True)
class Selection:
    """The jobs of one firing in an order that respects their dependencies."""

    jobs: tuple[str, ...]
    edges: tuple[Edge, ...]
    ignored: tuple[Edge, ...] = ()
    """Edges to jobs outside the selection."""


def select(wanted: Iterable[str], edges: Iterable[Edge], *, include: bool = False) -> Selection:
    """Return the wanted jobs in order, with `include` their dependencies too. Raises CycleError."""
    needs: dict[str, list[Edge]] = {}
    for edge in edges:
        needs.setdefault(edge.job, []).append(edge)
    chosen = list(dict.fromkeys(wanted))
    if include:
        chosen = _with_upstream(chosen, needs)
    inside = set(chosen)
    mine = [edge for job in chosen for edge in needs.get(job, ())]
    kept = tuple(edge for edge in mine if edge.depends_on in inside)
    # Named first, all of them: jobs that may run side by side keep the order they were wanted in.
    sorter = TopologicalSorter[str]({job: () for job in chosen})
    for edge in kept:
        sorter.add(edge.job, edge.depends_on)
    return Selection(
        jobs=tuple(sorter.static_order()),
        edges=kept,
        ignored=tuple(edge for edge in mine if edge.depends_on not in inside),
    )


def _with_upstream(jobs: list[str], needs: Mapping[str, list[Edge]]) -> list[str]:
    found = dict.fromkeys(jobs)
    waiting = list(jobs)
    while waiting:
        for edge in needs.get(waiting.pop(), ()):
            if edge.depends_on not in found:
                found[edge.depends_on] = None
                waiting.append(edge.depends_on)
    return list(found)


def find_cycle(edges: Iterable[Edge]) -> str | None:
    """Return a cycle as "a → b → a" in the direction of waiting, or None."""
    sorter = TopologicalSorter[str]()
    for edge in edges:
        sorter.add(edge.job, edge.depends_on)
    try:
        sorter.prepare()
    except CycleError as error:
        # graphlib lists a cycle from what is waited for to what waits.
        cycle = list(reversed(error.args[1]))
        return " → ".join([cycle[0], *(after for _, after in pairwise(cycle))])
    return None
