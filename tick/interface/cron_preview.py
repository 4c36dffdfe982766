"""Cron expressions: what they mean and when they would fire, before anybody relies on them."""

from datetime import datetime
from typing import Any

from pydantic import AliasChoices, Field

from tick.errors import InvalidCron, InvalidInput
from tick.interface.custom_schedules import ScheduleOptions
from tick.interface.inputs import Body, Instant, Name, Text
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.reports.upcoming import PreviewedRuns, preview_cron
from tick.ops.reports.written_preview import preview_instants
from tick.ops.schemas import Schema

resource = Resource("cron", "Trying expressions and schedules before anybody relies on them.")
PREVIEWED = 5
# Of an expression that fires once in years, each instant takes a search.
MOST_PREVIEWED = 100


class Cron(Body):
    """A cron expression in a time zone."""

    expression: Text = Field(
        validation_alias=AliasChoices("expression", "cronExpression", "cron"),
        description="five fields, as in `0 2 * * *`; or `cronExpression`, or `cron`",
    )
    timezone: Text = Field("UTC", description="such as `Europe/Paris`")


class Preview(ScheduleOptions):
    """An expression alone, or a whole schedule as `POST /schedules` takes it; how much to try."""

    id: Name | None = Field(
        None, description="whose `H` and jitter; default: the id that would be made from its name"
    )
    cron: Text | None = Field(
        None,
        validation_alias=AliasChoices("expression", "cron", "cronExpression"),
        description="five fields, as in `0 2 * * *`; or `cron`, or `cronExpression`",
    )
    after: Instant | None = Field(None, description="instants later than this one; default: now")
    count: int = Field(PREVIEWED, ge=1, le=MOST_PREVIEWED)

    @property
    def expression(self) -> str | None:
        """Return its expression, if nothing but that and its time zone is given."""
        return self.cron if self.model_fields_set <= _EXPRESSION_ALONE else None

    def written(self) -> dict[str, Any]:
        """Return the options that were given, as they would be stored."""
        given = super().written()
        return {name: value for name, value in given.items() if name not in ("after", "count")}


_EXPRESSION_ALONE = {"cron", "timezone", "after", "count"}


class CronVerdict(Schema):
    """Whether an expression can be used: its meaning in words, or its mistake."""

    valid: bool
    words: str | None = None
    mistake: str | None = None
    times: tuple[datetime, ...] = Field(default=(), description="its next instants")


@resource.post("/schedules/validate-cron", Permission.READ)
def validate_cron(context: Context, body: Cron) -> CronVerdict:
    """Say what a cron expression means, or what is wrong with it."""
    # A mistake is the answer that was asked for, not an error of the question.
    try:
        found = preview_cron(body.expression, body.timezone, after=context.now, count=PREVIEWED)
    except InvalidCron as error:
        return CronVerdict(valid=False, mistake=str(error))
    return CronVerdict(valid=True, words=found.words, times=found.times)


@resource.post("/schedules/preview-runs", Permission.READ)
def preview_runs(context: Context, body: Preview) -> PreviewedRuns:
    """List the next instants of a cron expression, or of a whole schedule before it is made."""
    after = body.after or context.now
    if body.expression is None:
        return context.read(
            preview_instants,
            context.registry,
            body.written(),
            schedule_id=body.id,
            after=after,
            count=body.count,
        )
    try:
        return preview_cron(body.expression, body.timezone or "UTC", after=after, count=body.count)
    except InvalidCron as error:
        # Here it is one of the question: of a wrong expression there is nothing to list.
        raise InvalidInput([("body", str(error))]) from None
