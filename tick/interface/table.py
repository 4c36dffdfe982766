"""Every operation there is, by resource in the order of the OpenAPI document, and by name."""

from tick.interface import (
    alerts,
    audit,
    backfills,
    batches,
    calendars,
    conflicts,
    cron_preview,
    custom_schedules,
    jobs,
    many_schedules,
    occurrences,
    queues,
    runs,
    scheduler,
    schedules,
    stats,
    verify_and_plan,
    windows,
    workers,
)

RESOURCES = (
    schedules.resource,
    custom_schedules.resource,
    many_schedules.resource,
    cron_preview.resource,
    scheduler.resource,
    conflicts.resource,
    windows.resource,
    alerts.resource,
    jobs.resource,
    calendars.resource,
    occurrences.resource,
    backfills.resource,
    runs.resource,
    batches.resource,
    workers.resource,
    queues.resource,
    verify_and_plan.resource,
    audit.resource,
    stats.resource,
)
OPERATIONS = {
    operation.name: operation for resource in RESOURCES for operation in resource.operations
}
