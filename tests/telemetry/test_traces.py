"""Traces join a tick, its occurrences and their runs, whichever process tells of each."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.engine.worker_steps import FAILED, Hands, only_postgres
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.statistics.count import count_ended
from tick.ops.actions import retries, run_now
from tick.runtime import Runtime
from tick.telemetry import Telemetry
from tick.telemetry.traces import DerivedIds, Traces
from tick.ticks.tick import run_tick

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUNS = [f"run job-{number}" for number in range(4)]


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


def process(world: World, exporter: InMemorySpanExporter) -> Runtime:
    """A process that ticks, with a provider of its own."""
    provider = TracerProvider(id_generator=DerivedIds(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    runtime = world.runtime
    vars(runtime)["telemetry"] = Telemetry([Traces(provider)])
    return runtime


def tick(world: World, exporter: InMemorySpanExporter, now: datetime) -> None:
    world.now = now
    run_tick(process(world, exporter), now, source="test")


def named(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    spans = exporter.get_finished_spans()
    found = {span.name: span for span in spans}
    assert len(found) == len(spans)
    return found


def test_tick_occurrence_and_run_are_one_trace(
    world: World, exporter: InMemorySpanExporter
) -> None:
    world.define(a_schedule(), jobs=[a_job("fetch")])
    world.enable()
    tick(world, exporter, TWO)
    world.finish_runs()
    tick(world, exporter, TWO + MINUTE)
    spans = named(exporter)
    assert spans.keys() == {"tick", "occurrence daily", "run fetch"}
    root, occurrence, run = spans["tick"], spans["occurrence daily"], spans["run fetch"]
    assert root.parent is None
    assert occurrence.parent is not None and occurrence.parent.span_id == root.context.span_id
    assert run.parent is not None and run.parent.span_id == occurrence.context.span_id
    assert len({span.context.trace_id for span in spans.values()}) == 1
    assert run.attributes is not None
    assert run.attributes["tick.run.id"] == world.runs()[0].id
    assert run.attributes["tick.id"] == root.attributes["tick.id"]  # type: ignore[index]
    assert occurrence.attributes["tick.schedule.id"] == "daily"  # type: ignore[index]


def test_a_failure_is_an_error_with_its_message(
    world: World, exporter: InMemorySpanExporter
) -> None:
    world.define(a_schedule())
    world.enable()
    tick(world, exporter, TWO)
    world.finish_runs("FAILED")
    tick(world, exporter, TWO + MINUTE)
    run = named(exporter)["run match-scores"]
    assert run.status.status_code is StatusCode.ERROR


def test_a_manual_firing_is_the_root_of_its_own_trace(
    world: World, exporter: InMemorySpanExporter
) -> None:
    world.define(a_schedule())
    run_now.run_schedule(world.database, Act(world.now, TESTER), "daily")
    world.finish_runs()
    tick(world, exporter, world.now)
    spans = named(exporter)
    assert spans.keys() == {"occurrence daily", "run match-scores"}
    assert spans["occurrence daily"].parent is None


def test_each_end_is_told_once_and_an_idle_tick_not_at_all(
    world: World, exporter: InMemorySpanExporter
) -> None:
    world.define(a_schedule())
    world.enable()
    tick(world, exporter, TWO)
    world.finish_runs("FAILED")
    for number in range(1, 4):
        tick(world, exporter, TWO + number * MINUTE)
    assert len(named(exporter)) == 3
    retries.retry_run(world.database, Act(world.now, TESTER), world.runs()[0].id, world.registry)
    world.finish_runs()
    tick(world, exporter, TWO + 5 * MINUTE)
    assert len(exporter.get_finished_spans()) == 5


def test_an_end_that_several_workers_and_ticks_see_is_exported_once(
    world: World, exporter: InMemorySpanExporter
) -> None:
    first, second = fired(world, exporter)
    for hands, runs in ((first, first.claim(2)), (second, second.claim(2))):
        accepted = hands.end(*runs, end=FAILED)
        hands.end(*runs)
        hands.settle(accepted)
    for number in range(1, 4):
        tick(world, exporter, TWO + number * MINUTE)
    assert exported(exporter) == {"tick": 1, "occurrence daily": 1} | dict.fromkeys(RUNS, 1)
    act = Act(world.now, TESTER)
    for run in world.runs()[:2]:
        retries.retry_run(world.database, act, run.id, world.registry)
    first.work_off()
    for number in range(4, 6):
        tick(world, exporter, TWO + number * MINUTE)
    assert exported(exporter) == {
        "tick": 1,
        "occurrence daily": 2,
        **dict.fromkeys(RUNS[:2], 2),
        **dict.fromkeys(RUNS[2:], 1),
    }
    runs = [span for span in exporter.get_finished_spans() if span.name in RUNS]
    assert len({span.context.span_id for span in runs}) == len(runs)


@only_postgres
def test_runs_counted_by_another_process_are_exported_there(
    world: World, exporter: InMemorySpanExporter
) -> None:
    hands, _ = fired(world, exporter)
    hands.work_off()
    with world.database.write.begin() as rival:
        counted = count_ended(rival)
        tick(world, exporter, TWO + MINUTE)
        assert exported(exporter) == {"tick": 1}
    tick(world, exporter, TWO + 2 * MINUTE)
    process(world, exporter).telemetry.ended(world.database.read, [counted], world.now)
    assert exported(exporter) == {"tick": 1, "occurrence daily": 1} | dict.fromkeys(RUNS, 1)


def fired(world: World, exporter: InMemorySpanExporter) -> tuple[Hands, Hands]:
    """Two workers, and four runs for them."""
    world.define(a_schedule(), jobs=[a_job(f"job-{number}") for number in range(4)])
    world.enable()
    tick(world, exporter, TWO)
    return Hands(world), Hands(world)


def exported(exporter: InMemorySpanExporter) -> Counter[str]:
    """How many spans, by name."""
    return Counter(span.name for span in exporter.get_finished_spans())
