"""`H` in a cron expression: a slot of the schedule's own, spread by the hash of its id. Pure."""

import re
from hashlib import sha256

from tick.cron.fields import DAY_OF_MONTH, FIELDS, Field
from tick.cron.grammar import number, refuse, split

_SLOT = re.compile(r"H(?:\((\w+)-(\w+)\))?(?:/(\d+))?", re.IGNORECASE)
# Every month has it: a job of the 31st would run in seven months of the year.
_SAFE_DAY = 28


def resolve(expression: str, schedule_id: str) -> str:
    """Return five fields with each `H` replaced by this schedule's slot.

    `H` is one value, `H(a-b)` one within the range, `H/n` every nth from a hashed start. Raises
    InvalidCron for a bad `H`.
    """
    return " ".join(
        ",".join(_resolve_item(field, item, schedule_id) for item in text.split(","))
        for field, text in zip(FIELDS, split(expression), strict=True)
    )


def _resolve_item(field: Field, item: str, schedule_id: str) -> str:
    found = _SLOT.fullmatch(item)
    if found is None:
        return item
    first, last = _bounds(field, item, found[1], found[2])
    # The field is part of the text, so that minute and hour are independent.
    text = f"{schedule_id}\0{field.name}".encode()
    digest = int.from_bytes(sha256(text).digest()[:8])
    if found[3] is None:
        return str(first + digest % (last - first + 1))
    step = int(found[3])
    if not 2 <= step <= last - first:
        refuse(field, item, f"the step must be 2 to {last - first}")
    values = range(first + digest % step, last + 1, step)
    return f"{values[0]}-{last}/{step}" if len(values) > 1 else str(values[0])


def _bounds(field: Field, item: str, first: str | None, last: str | None) -> tuple[int, int]:
    if first is None or last is None:
        high = _SAFE_DAY if field is DAY_OF_MONTH else field.values[-1]
        return field.values[0], high
    low, high = number(field, first), number(field, last)
    if low >= high:
        refuse(field, item, f"the range must run upwards; write for example H({field.example})")
    return low, high
