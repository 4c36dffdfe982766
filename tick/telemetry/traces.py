"""Sends traces by OpenTelemetry: a tick, the occurrences that it fired, and their runs.

The OTEL_* variables say where spans go.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    INVALID_SPAN_ID,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from tick.engine.ledger.tick_log import TickRow
from tick.states import Outcome, RunStatus
from tick.telemetry import Sink
from tick.telemetry.records import OccurrenceRecord, RunRecord

SERVICE = "job-schedule-manager"
_TICK_ID = re.compile(r"[0-9a-f]{16}\Z")
_FLUSH_MILLIS = 3000  # an exporter that is away must not keep a process from ending
_BAD = {Outcome.FAILED, Outcome.FIRE_FAILED, Outcome.MISSED}


class DerivedIds(IdGenerator):
    """Returns the ids that were set for the next span."""

    # Not drawn at random: the process that counts an end makes its span, and must know those of
    # the tick and the occurrence, which other processes made.

    def __init__(self) -> None:
        self.trace_id = self.span_id = 1

    def generate_trace_id(self) -> int:
        """Return the trace id for a span without a parent."""
        return self.trace_id

    def generate_span_id(self) -> int:
        """Return the id for the span."""
        return self.span_id


def otlp_provider() -> TracerProvider:
    """Return a provider that sends spans in the background, as OTEL_EXPORTER_OTLP_* says."""
    resource = Resource.create()
    # OTEL_SERVICE_NAME goes before.
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    provider = TracerProvider(id_generator=DerivedIds(), resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Traces(Sink):
    """Makes spans. The provider's id generator must be a DerivedIds."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider, self._lock = provider, Lock()
        self._tracer = provider.get_tracer("tick")

    def tick(self, row: TickRow) -> None:
        """Make the root span of a trace."""
        attributes: dict[str, AttributeValue] = {
            "tick.id": row.id,
            "tick.source": row.source,
            "tick.due": row.due,
            "tick.fired": row.fired,
            "tick.not_fired": row.not_fired,
            "tick.runs": row.runs,
        }
        times = row.started_at, row.started_at + timedelta(seconds=row.took_seconds)
        self._span("tick", row.id, _id("tick", row.id), None, times, attributes, row.error)

    def occurrence(self, record: OccurrenceRecord) -> None:
        """Make a span from the decision to the last end."""
        attributes: dict[str, AttributeValue] = {
            "tick.id": record.tick_id,
            "tick.occurrence.id": record.id,
            "tick.occurrence.kind": record.kind,
            "tick.occurrence.outcome": record.outcome,
            "tick.occurrence.runs": record.runs,
            "tick.schedule.id": record.schedule_id or "",
        }
        if record.scheduled_for is not None:
            attributes["tick.occurrence.scheduled_for"] = record.scheduled_for.isoformat()
        # An action by hand has no tick, and so no span above its occurrence.
        parent = _id("tick", record.tick_id) if _TICK_ID.match(record.tick_id) else None
        times = record.decided_at, record.last_finished_at or record.decided_at
        problem = (record.reason or record.outcome.lower()) if record.outcome in _BAD else None
        name = f"occurrence {record.schedule_id or record.kind.lower()}"
        span = _id("occurrence", record.id)
        self._span(name, record.tick_id, span, parent, times, attributes, problem)

    def run(self, record: RunRecord) -> None:
        """Make a span of the last attempt; of a run that never started, at its end."""
        attributes: dict[str, AttributeValue] = {
            "tick.id": record.tick_id,
            "tick.occurrence.id": record.occurrence_id,
            "tick.run.id": record.id,
            "tick.run.attempt": record.attempt,
            "tick.run.status": record.status,
            "tick.run.trigger": record.trigger,
            "tick.job.name": record.job_name,
            "tick.job.group": record.job_group,
            "tick.queue": record.queue,
            "tick.schedule.id": record.schedule_id or "",
            "tick.worker.id": record.worker_id or "",
        }
        problem = None
        if record.status == RunStatus.FAILED:
            attributes["exception.type"] = record.error_type or ""
            problem = record.error_message or record.reason or "failed"
        span = _id("run", f"{record.id}.{record.attempt}")
        times = record.started_at or record.finished_at, record.finished_at
        name, parent = f"run {record.job_name}", _id("occurrence", record.occurrence_id)
        self._span(name, record.tick_id, span, parent, times, attributes, problem)

    def close(self) -> None:
        """Send the rest, for a few seconds at most."""
        self._provider.force_flush(_FLUSH_MILLIS)
        self._provider.shutdown()

    def _span(
        self,
        name: str,
        tick_id: str,
        span_id: int,
        parent_id: int | None,
        times: tuple[datetime, datetime],
        attributes: Mapping[str, AttributeValue],
        problem: str | None,
    ) -> None:
        ids = self._provider.id_generator
        trace_id = _id("trace", tick_id, 16)
        flags, parent = TraceFlags(TraceFlags.SAMPLED), parent_id or INVALID_SPAN_ID
        above = SpanContext(trace_id, parent, is_remote=True, trace_flags=flags)
        context = set_span_in_context(NonRecordingSpan(above))
        # The generator gives the ids that were set last, so nobody may set others in between.
        with self._lock:
            if isinstance(ids, DerivedIds):
                ids.trace_id, ids.span_id = trace_id, span_id
            start = _nanoseconds(times[0])
            span = self._tracer.start_span(name, context, attributes=attributes, start_time=start)
        if problem is not None:
            span.set_status(Status(StatusCode.ERROR, problem))
        # A run on another host may end before it began, by the clocks.
        span.end(max(_nanoseconds(times[1]), start))


def _id(kind: str, of: str | int, size: int = 8) -> int:
    """Return an id of `size` bytes, derived from `of`; never zero."""
    digest = hashlib.sha256(f"{kind}:{of}".encode()).digest()
    return int.from_bytes(digest[:size]) or 1  # zero is an id that is not valid


def _nanoseconds(instant: datetime) -> int:
    # By whole microseconds: a float has no room for the nanoseconds of our century.
    return int(instant.timestamp() * 1_000_000) * 1000
