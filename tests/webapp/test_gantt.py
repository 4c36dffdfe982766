"""The chart of an occurrence: lines between its bars, and a bar that leads to the log."""

import re

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.visitor import Visitor
from tick.ops.queries.neighbours import Neighbour
from tick.states import RunStatus
from tick.store.tables import job_log
from webapp.drawing import gantt
from webapp.drawing.gantt import Segment, TimelineBar, lines

BAR, TOP, BOTTOM = "22", "0", "100%"


def _bar(ready: float, end: float) -> TimelineBar:
    """A run that waited for others until `ready`, and worked from then to `end`."""
    return TimelineBar(0, ready, ready, 0, ready, end - ready)


def _neighbour(number: int) -> Neighbour:
    return Neighbour(
        run_id=number, job_name=f"job-{number}", status=RunStatus.SUCCESS, tolerant=False
    )


def _after(**edges: tuple[int, ...]) -> dict[int, tuple[Neighbour, ...]]:
    return {int(name[1:]): tuple(_neighbour(n) for n in awaited) for name, awaited in edges.items()}


def test_a_line_joins_the_end_of_a_bar_with_the_start_of_its_dependent() -> None:
    bars = {1: _bar(0, 30), 2: _bar(0, 10), 3: _bar(40, 60)}
    found = lines(bars, _after(r3=(1,)), ()).by_row
    assert found == {
        1: [
            Segment(3, 1, False, 30, 40, BAR, BAR),
            Segment(3, None, False, 40, 40, BAR, BOTTOM),
        ],
        2: [Segment(3, None, False, 40, 40, TOP, BOTTOM)],
        3: [Segment(3, None, False, 40, 40, TOP, BAR)],
    }


def test_a_line_may_lead_upwards() -> None:
    bars = {3: _bar(40, 60), 1: _bar(0, 30)}
    found = lines(bars, _after(r3=(1,)), ()).by_row
    assert [(each.y1, each.y2) for each in found[3]] == [(BAR, BOTTOM)]
    assert [(each.y1, each.y2) for each in found[1]] == [(BAR, BAR), (TOP, BAR)]


def test_all_that_a_run_waits_for_share_one_upright_line() -> None:
    bars = {number: _bar(0, 10 * number) for number in range(1, 9)} | {9: _bar(80, 90)}
    found = lines(bars, _after(r9=tuple(range(1, 9))), ()).by_row
    assert [sum(each.origin is None for each in found[row]) for row in bars] == [1] * 9


def test_only_the_decisive_link_of_the_critical_path_is_critical() -> None:
    bars = {1: _bar(0, 10), 2: _bar(0, 30), 3: _bar(30, 50)}
    found = lines(bars, _after(r3=(1, 2)), (2, 3)).by_row
    critical = {row: [each.origin for each in found[row] if each.critical] for row in found}
    assert critical == {1: [], 2: [2, None], 3: [None]}


def test_a_crowd_of_links_shrinks_to_the_critical_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gantt, "MOST_SEGMENTS", 2)
    bars = {1: _bar(0, 10), 2: _bar(0, 30), 3: _bar(30, 50)}
    found = lines(bars, _after(r3=(1, 2)), (2, 3)).by_row
    assert [len(found[row]) for row in bars] == [0, 2, 1]
    assert all(each.critical for row in bars for each in found[row])


def test_what_is_not_shown_has_no_line() -> None:
    assert lines({3: _bar(0, 10)}, _after(r3=(1,)), ()) == ({3: []}, True)


def test_a_bar_leads_to_the_log_below_the_chart(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    line = {"run_id": 2, "attempt": 1, "level": "info", "at": world.now, "message": "1,204 <rows>"}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(job_log), line)
    page = ada.page("/occurrences/1")
    link = re.search(
        r'<a class="bar" href="(/occurrences/1\?run=2)#log-panel" title="([^"]+)"', page
    )
    assert link
    assert link[2].startswith("Log of match-scores: waited ")
    assert "1,204" not in page
    opened = ada.page(link[1])
    assert "1,204 &lt;rows&gt;" in opened
    assert 'href="/occurrences/1"' in opened
    assert "log-panel" not in ada.page("/occurrences/1?run=99").replace('#log-panel"', "")


def test_the_links_of_all_runs_are_shown_by_an_address(ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    page = ada.page("/occurrences/1")
    assert page.count('<line data-to="2" data-from="1"') == 1
    assert "all-linked" not in page
    shown = ada.page("/occurrences/1?links=all")
    assert "all-linked" in shown
    assert "/occurrences/1?run=3&amp;links=all#log-panel" in shown


def test_links_that_are_too_many_are_not_offered_and_the_graph_has_them(
    ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gantt, "MOST_SEGMENTS", 1)
    ada.post("/schedules/daily/run")
    page = ada.page("/occurrences/1")
    assert "Too many links to draw" in page
    assert "Show all links" not in page
