"""Cron expressions: what they mean and when they would fire, before anybody relies on them."""

from datetime import datetime

from pydantic import AliasChoices, Field

from tick.errors import InvalidCron, InvalidInput
from tick.interface.inputs import Body, Instant, Text
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.reports.upcoming import PreviewedRuns, preview_cron
from tick.ops.schemas import Schema

resource = Resource("cron", "Trying cron expressions before anybody relies on them.")
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


class Preview(Cron):
    """A cron expression, and how much of it to try."""

    after: Instant | None = Field(None, description="instants later than this one; default: now")
    count: int = Field(PREVIEWED, ge=1, le=MOST_PREVIEWED)


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
    """List the next instants of a cron expression."""
    try:
        return preview_cron(
            body.expression, body.timezone, after=body.after or context.now, count=body.count
        )
    except InvalidCron as error:
        # Here it is one of the question: of a wrong expression there is nothing to list.
        raise InvalidInput([("body", str(error))]) from None
