"""/metrics for Prometheus, made from the database at each scrape: the same from every process."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from flask import Blueprint, Response, request
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from tick import __version__
from tick.cron.zone_data import current
from tick.ops.access import tokens
from tick.ops.queries.descriptions import next_firing
from tick.ops.queries.metrics import Reading, read_metrics
from tick.ops.queries.stats import Table
from tick.ops.reports.rates import bucket_counts
from tick.policy.histogram import LATE_BOUNDS, TOOK_BOUNDS, WAITED_BOUNDS
from tick.states import ENDED_OUTCOMES, NOT_FIRED_OUTCOMES, TokenScope
from webapp.access.bearer import ask_for_token, bearer_token, same_secret
from webapp.errors import answer
from webapp.services import now, runtime

blueprint = Blueprint("metrics", __name__)
_TICKS = {
    "ticks": ("tick_ticks", "Ticks that came to their end"),
    "failed": ("tick_ticks_failed", "Ticks that could not decide some schedule"),
    "due": ("tick_schedules_due", "Schedules found due, summed over all ticks"),
    "fired": ("tick_fired", "Instants that ticks fired"),
    "not_fired": ("tick_not_fired", "Ledger rows that ticks wrote for what did not fire"),
    "runs": ("tick_runs_enqueued", "Runs that ticks enqueued"),
    "rescued": ("tick_runs_rescued", "Runs that ticks took back from processes that died"),
}
_STATUSES = ("succeeded", "failed", "cancelled", "skipped")
_OUTCOMES = tuple(outcome.lower() for outcome in (*ENDED_OUTCOMES, *NOT_FIRED_OUTCOMES))


@blueprint.get("/metrics")
def scrape() -> Response:
    """Send all metrics, in the text format that the scraper prefers."""
    if not _is_allowed():
        refusal = answer(401, "Send TICK_METRICS_TOKEN, or an API token, as a bearer token.")
        return ask_for_token(refusal)
    reading = read_metrics(runtime().database, now(), runtime().settings.dead_after_seconds)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(_Collected(reading)), content_type=content_type)


def _is_allowed() -> bool:
    """Return whether the bearer is TICK_METRICS_TOKEN or an API token of fitting scope."""
    offered = bearer_token()
    if not offered:
        return False
    expected = runtime().settings.metrics_token
    if expected is not None and same_secret(offered, expected.get_secret_value()):
        return True
    scopes = (TokenScope.METRICS, TokenScope.API)
    database = runtime().database
    return any(tokens.authenticate(database, offered, now=now(), scope=each) for each in scopes)


class _Collected(Collector):
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterable[Metric]:
        return families(self._reading)


def families(reading: Reading) -> Iterator[Metric]:
    """Yield the metrics of a reading. Pure."""
    build = {"version": __version__, "environment": reading.environment or ""}
    yield InfoMetricFamily("tick_build", "The release that answers, and for whom", build)
    zones = current()
    words, said = "The time zone data that this process goes by", {"place": zones.place}
    yield InfoMetricFamily("tick_zone_data", words, {"version": zones.version or "", **said})
    yield from _tick_families(reading)
    yield from _run_families(reading)
    yield from _occurrence_families(reading.occurrences)
    yield from _schedule_families(reading)
    words, workers = "Processes that have not signed off", sorted(reading.workers.items())
    yield _gauge("tick_workers", words, ["type", "state"], workers)


def _tick_families(reading: Reading) -> Iterator[Metric]:
    for column, (name, words) in _TICKS.items():
        yield CounterMetricFamily(name, words, value=reading.ticks[column])
    name, words = "tick_interval_seconds", "The usual distance between ticks"
    yield GaugeMetricFamily(name, words, value=reading.tick_seconds)
    last = reading.last_tick
    if last is None:
        return
    for name, words, value in (
        ("timestamp_seconds", "When the last tick began", last.started_at.timestamp()),
        ("duration_seconds", "How long it took", last.took_seconds),
        (
            "lateness_seconds",
            "How late its latest firing was; 0 if it fired nothing",
            last.late_seconds or 0.0,
        ),
    ):
        yield GaugeMetricFamily(f"tick_last_tick_{name}", words, value=value)


def _run_families(reading: Reading) -> Iterator[Metric]:
    # Not `job`: Prometheus puts a label of that name on everything that it scrapes.
    label = "job_name"
    yield _counter("tick_runs", "Runs that ended", [label, "status"], reading.runs, _STATUSES)
    name, words = "tick_run_duration_seconds", "Last attempts"
    yield _histogram(name, words, label, reading.runs, "took", TOOK_BOUNDS)
    name, words = "tick_run_queue_wait_seconds", "Time for which runs were ready and had not begun"
    yield _histogram(name, words, label, reading.runs, "waited", WAITED_BOUNDS)
    unfinished = (
        ((row.job_name, row.queue, row.status.lower()), row.runs) for row in reading.unfinished
    )
    words = "Runs in the queue or at work"
    yield _gauge("tick_runs_unfinished", words, [label, "queue", "status"], unfinished)
    words = "Since when the longest queued run of a queue could have started, but for dependencies"
    oldest = (((row.queue,), row.since.timestamp()) for row in reading.oldest_queued)
    yield _gauge("tick_queue_oldest_timestamp_seconds", words, ["queue"], oldest)


def _occurrence_families(occurrences: Table) -> Iterator[Metric]:
    words, labels = "Instants, by what became of them", ["schedule", "outcome"]
    yield _counter("tick_instants", words, labels, occurrences, _OUTCOMES)
    words = "From the first start of an occurrence's runs to the last end"
    name = "tick_firing_duration_seconds"
    yield _histogram(name, words, "schedule", occurrences, "took", TOOK_BOUNDS)
    name, words = "tick_firing_lateness_seconds", "From an instant to the tick that fired it"
    yield _histogram(name, words, "schedule", occurrences, "late", LATE_BOUNDS)


def _schedule_families(reading: Reading) -> Iterator[Metric]:
    rows = sorted(reading.schedules, key=lambda row: str(row.id))
    enabled = (((row.id, row.state.lower()), row.enabled) for row in rows)
    words = "Whether a schedule is switched on"
    yield _gauge("tick_schedule_enabled", words, ["schedule", "state"], enabled)
    following = (
        ((row.id,), at.timestamp())
        for row in rows
        if row.enabled and (at := next_firing(row.rule, row.next_run_at)) is not None
    )
    words = "The next instant of a schedule that is on"
    yield _gauge("tick_schedule_next_run_timestamp_seconds", words, ["schedule"], following)
    failures = (((row.id,), row.consecutive_failures) for row in rows)
    words = "Failed firings in a row"
    yield _gauge("tick_schedule_consecutive_failures", words, ["schedule"], failures)


def _gauge(
    name: str, words: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _counter(
    name: str, words: str, labels: Sequence[str], table: Table, columns: Sequence[str]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, words, labels=labels)
    for (key, _), sums in sorted(table.items()):
        for column in columns:
            family.add_metric([key, column], sums[column])
    return family


def _histogram(
    name: str, words: str, label: str, table: Table, kind: str, bounds: Sequence[float]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, words, labels=[label])
    limits = [*map(floatToGoString, bounds), "+Inf"]
    for (key, _), sums in sorted(table.items()):
        # Prometheus counts cumulatively: each bucket holds those below it, too.
        counts = accumulate(bucket_counts(sums, kind, bounds))
        buckets = list(zip(limits, map(float, counts), strict=True))
        family.add_metric([key], buckets, sums[f"{kind}_seconds"])
    return family
