"""Every operation there is, by resource in the order of the OpenAPI document, and by name."""

from tick.interface import (
    alerts,
    audit,
    batches,
    cron,
    jobs,
    occurrences,
    proof,
    queues,
    runs,
    scheduler,
    schedules,
    stats,
    windows,
    workers,
)

RESOURCES = (
    schedules.resource,
    cron.resource,
    scheduler.resource,
    windows.resource,
    alerts.resource,
    jobs.resource,
    occurrences.resource,
    runs.resource,
    batches.resource,
    workers.resource,
    queues.resource,
    proof.resource,
    audit.resource,
    stats.resource,
)
OPERATIONS = {
    operation.name: operation for resource in RESOURCES for operation in resource.operations
}
