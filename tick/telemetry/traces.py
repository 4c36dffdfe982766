"""Traces by OpenTelemetry: a tick, the occurrences that it fired, and their runs.

Spans are made when things have ended, by whichever process counts them, so their ids are not drawn
but derived: of the tick, of the occurrence, of the run and its attempt. Where they go is for the
OTEL_* variables to say.
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
from tick.telemetry.records import OccurrenceTold, RunTold

SERVICE = "job-schedule-manager"
_TICK_ID = re.compile(r"[0-9a-f]{16}\Z")
_FLUSH_MILLIS = 3000
_BAD = {Outcome.FAILED, Outcome.FIRE_FAILED, Outcome.MISSED}


class DerivedIds(IdGenerator):
    """Hands out the ids that were set for the span that is begun next."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 1

    def generate_trace_id(self) -> int:
        """The trace of a span without a parent."""
        return self.trace_id

    def generate_span_id(self) -> int:
        """The id of the span."""
        return self.span_id


def otlp_provider() -> TracerProvider:
    """What sends spans, in the background, to where OTEL_EXPORTER_OTLP_* says."""
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    provider = TracerProvider(id_generator=DerivedIds(), resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Traces:
    """Makes spans of what is told. The provider's ids must be DerivedIds."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider, self._lock = provider, Lock()
        self._tracer = provider.get_tracer("tick")

    def tick(self, row: TickRow) -> None:
        """The root of a trace."""
        attributes: dict[str, AttributeValue] = {
            "tick.id": row.id,
            "tick.source": row.source,
            "tick.due": row.due,
            "tick.fired": row.fired,
            "tick.not_fired": row.not_fired,
            "tick.runs": row.runs,
        }
        end = row.started_at + timedelta(seconds=row.took_seconds)
        self._span(
            "tick", row.id, _tick_span(row.id), None, (row.started_at, end), attributes, row.error
        )

    def occurrence(self, told: OccurrenceTold) -> None:
        """From the decision to the last end."""
        attributes: dict[str, AttributeValue] = {
            "tick.id": told.tick_id,
            "tick.occurrence.id": told.id,
            "tick.occurrence.kind": told.kind,
            "tick.occurrence.outcome": told.outcome,
            "tick.occurrence.runs": told.runs,
            "tick.schedule.id": told.schedule_id or "",
        }
        if told.scheduled_for is not None:
            attributes["tick.occurrence.scheduled_for"] = told.scheduled_for.isoformat()
        parent = _tick_span(told.tick_id) if _TICK_ID.match(told.tick_id) else None
        times = told.decided_at, told.last_finished_at or told.decided_at
        problem = (told.reason or told.outcome.lower()) if told.outcome in _BAD else None
        name = f"occurrence {told.schedule_id or told.kind.lower()}"
        self._span(
            name, told.tick_id, _occurrence_span(told.id), parent, times, attributes, problem
        )

    def run(self, told: RunTold) -> None:
        """The last attempt; of one that never began, the moment of its end."""
        attributes: dict[str, AttributeValue] = {
            "tick.id": told.tick_id,
            "tick.occurrence.id": told.occurrence_id,
            "tick.run.id": told.id,
            "tick.run.attempt": told.attempt,
            "tick.run.status": told.status,
            "tick.run.trigger": told.trigger,
            "tick.job.name": told.job_name,
            "tick.job.group": told.job_group,
            "tick.queue": told.queue,
            "tick.schedule.id": told.schedule_id or "",
            "tick.worker.id": told.worker_id or "",
        }
        problem = None
        if told.status == RunStatus.FAILED:
            attributes["exception.type"] = told.error_type or ""
            problem = told.error_message or told.reason or "failed"
        span = _id("run", f"{told.id}.{told.attempt}", 8)
        times = told.started_at or told.finished_at, told.finished_at
        parent = _occurrence_span(told.occurrence_id)
        self._span(f"run {told.job_name}", told.tick_id, span, parent, times, attributes, problem)

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""
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
        context = set_span_in_context(
            NonRecordingSpan(
                SpanContext(
                    trace_id,
                    parent_id or INVALID_SPAN_ID,
                    is_remote=True,
                    trace_flags=TraceFlags(TraceFlags.SAMPLED),
                )
            )
        )
        with self._lock:
            if isinstance(ids, DerivedIds):
                ids.trace_id, ids.span_id = trace_id, span_id
            start = _nanoseconds(times[0])
            span = self._tracer.start_span(name, context, attributes=attributes, start_time=start)
        if problem is not None:
            span.set_status(Status(StatusCode.ERROR, problem))
        span.end(max(_nanoseconds(times[1]), start))


def _tick_span(tick_id: str) -> int:
    return _id("tick", tick_id, 8)


def _occurrence_span(occurrence_id: int) -> int:
    return _id("occurrence", str(occurrence_id), 8)


def _id(kind: str, of: str, size: int) -> int:
    """An id of so many bytes, the same whoever asks; never zero."""
    digest = hashlib.sha256(f"{kind}:{of}".encode()).digest()
    return int.from_bytes(digest[:size]) or 1


def _nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000) * 1000
