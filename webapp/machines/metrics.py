"""/metrics for Prometheus, made from the database at each scrape: the same from every process.

Whoever asks sends `Authorization: Bearer` with TICK_METRICS_TOKEN, or with an API token of scope
`metrics` or `api`; nobody else gets anything.
"""

import hashlib
import hmac
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
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString

from tick import __version__
from tick.ops.access import tokens
from tick.ops.queries.metrics import Reading, read_metrics
from tick.ops.queries.stats import Table
from tick.ops.reports.rates import bucket_counts
from tick.policy.histogram import LATE_BOUNDS, TOOK_BOUNDS, WAITED_BOUNDS
from tick.states import ENDED_OUTCOMES, NOT_FIRED_OUTCOMES, TokenScope
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
    """Everything, in the text format that the scraper prefers."""
    if not _is_allowed():
        refusal = answer(401, "Send TICK_METRICS_TOKEN, or an API token, as a bearer token.")
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="tick"'
        return refusal
    reading = read_metrics(runtime().database, now(), runtime().settings.dead_after_seconds)
    registry = CollectorRegistry()
    registry.register(_Collected(reading))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


def _is_allowed() -> bool:
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    offered = offered.strip()
    if scheme.lower() != "bearer" or not offered:
        return False
    expected = runtime().settings.metrics_token
    if expected is not None and _same(offered, expected.get_secret_value()):
        return True
    scopes = (TokenScope.METRICS, TokenScope.API)
    database = runtime().database
    return any(tokens.authenticate(database, offered, now=now(), scope=each) for each in scopes)


def _same(offered: str, expected: str) -> bool:
    # Digests are compared, so that not even the secret's length shows in the time that it takes.
    sent = offered.encode("utf-8", "surrogateescape")
    digests = (hashlib.sha256(text).digest() for text in (sent, expected.encode()))
    return hmac.compare_digest(*digests)


class _Collected(Collector):
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterable[Metric]:
        return families(self._reading)


def families(reading: Reading) -> Iterator[Metric]:
    """The metrics of a reading. Pure."""
    yield InfoMetricFamily("tick_build", "The release that answers", {"version": __version__})
    yield from _tick_families(reading)
    yield from _run_families(reading)
    yield from _occurrence_families(reading.occurrences)
    yield from _schedule_families(reading)
    workers = GaugeMetricFamily(
        "tick_workers", "Processes that have not signed off", labels=["type", "state"]
    )
    for (kind, state), number in sorted(reading.workers.items()):
        workers.add_metric([kind, state], number)
    yield workers


def _tick_families(reading: Reading) -> Iterator[Metric]:
    for column, (name, words) in _TICKS.items():
        yield CounterMetricFamily(name, words, value=reading.ticks[column])
    yield GaugeMetricFamily(
        "tick_interval_seconds", "The usual distance between ticks", value=reading.tick_seconds
    )
    last = reading.last_tick
    if last is None:
        return
    yield GaugeMetricFamily(
        "tick_last_tick_timestamp_seconds",
        "When the last tick began",
        value=last.started_at.timestamp(),
    )
    yield GaugeMetricFamily(
        "tick_last_tick_duration_seconds", "How long it took", value=last.took_seconds
    )
    yield GaugeMetricFamily(
        "tick_last_tick_lateness_seconds",
        "How late its latest firing was; 0 if it fired nothing",
        value=last.late_seconds or 0.0,
    )


def _run_families(reading: Reading) -> Iterator[Metric]:
    # Not `job`: Prometheus puts a label of that name on everything that it scrapes.
    ended = CounterMetricFamily("tick_runs", "Runs that ended", labels=["job_name", "status"])
    for (job, _), sums in sorted(reading.runs.items()):
        for status in _STATUSES:
            ended.add_metric([job, status], sums[status])
    yield ended
    yield _histogram(
        "tick_run_duration_seconds", "Last attempts", "job_name", reading.runs, "took", TOOK_BOUNDS
    )
    yield _histogram(
        "tick_run_queue_wait_seconds",
        "Time for which runs were ready and had not begun",
        "job_name",
        reading.runs,
        "waited",
        WAITED_BOUNDS,
    )
    unfinished = GaugeMetricFamily(
        "tick_runs_unfinished",
        "Runs in the queue or at work",
        labels=["job_name", "queue", "status"],
    )
    for row in reading.unfinished:
        unfinished.add_metric([row.job_name, row.queue, row.status.lower()], row.runs)
    yield unfinished
    oldest = GaugeMetricFamily(
        "tick_queue_oldest_timestamp_seconds",
        "Since when the longest queued run of a queue could have started, but for dependencies",
        labels=["queue"],
    )
    for row in reading.oldest_queued:
        oldest.add_metric([row.queue], row.since.timestamp())
    yield oldest


def _occurrence_families(occurrences: Table) -> Iterator[Metric]:
    instants = CounterMetricFamily(
        "tick_instants", "Instants, by what became of them", labels=["schedule", "outcome"]
    )
    for (schedule, _), sums in sorted(occurrences.items()):
        for outcome in _OUTCOMES:
            instants.add_metric([schedule, outcome], sums[outcome])
    yield instants
    yield _histogram(
        "tick_firing_duration_seconds",
        "From the first start of an occurrence's runs to the last end",
        "schedule",
        occurrences,
        "took",
        TOOK_BOUNDS,
    )
    yield _histogram(
        "tick_firing_lateness_seconds",
        "From an instant to the tick that fired it",
        "schedule",
        occurrences,
        "late",
        LATE_BOUNDS,
    )


def _schedule_families(reading: Reading) -> Iterator[Metric]:
    enabled = GaugeMetricFamily(
        "tick_schedule_enabled", "Whether a schedule is switched on", labels=["schedule", "state"]
    )
    next_run = GaugeMetricFamily(
        "tick_schedule_next_run_timestamp_seconds",
        "The next instant of a schedule that is on",
        labels=["schedule"],
    )
    failures = GaugeMetricFamily(
        "tick_schedule_consecutive_failures", "Failed firings in a row", labels=["schedule"]
    )
    for row in sorted(reading.schedules, key=lambda row: str(row.id)):
        enabled.add_metric([row.id, row.state.lower()], row.enabled)
        failures.add_metric([row.id], row.consecutive_failures)
        if row.enabled and row.next_run_at is not None:
            next_run.add_metric([row.id], row.next_run_at.timestamp())
    yield from (enabled, next_run, failures)


def _histogram(
    name: str, words: str, label: str, table: Table, kind: str, bounds: Sequence[float]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, words, labels=[label])
    limits = [*map(floatToGoString, bounds), "+Inf"]
    for (key, _), sums in sorted(table.items()):
        counts = accumulate(bucket_counts(sums, kind, bounds))
        buckets = list(zip(limits, map(float, counts), strict=True))
        family.add_metric([key], buckets, sums[f"{kind}_seconds"])
    return family
