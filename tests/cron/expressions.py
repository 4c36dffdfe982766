"""Generated cron expressions: any that we accept, and such as are aimed at one wall time."""

from datetime import datetime, timedelta
from random import Random

from tests.cron.simulator import BOUNDS, NAMES

SYSTEMATIC = [
    "* * * * *",
    "*/15 * * * *",
    "*/40 * * * *",
    "0 * * * *",
    "30 * * * *",
    "7,37 * * * *",
    "0 */2 * * *",
    "45 */3 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "30 1 * * *",
    "0 2 * * *",
    "30 2 * * *",
    "0 3 * * *",
    "* 2 * * *",
    "*/20 1-3 * * *",
    "0-59 0-23 * * *",
    "0,30 0-6 * * *",
    "15 23,0,1 * * *",
    "59 23 * * *",
    "1 0 * * *",
]


def any_expression(random: Random) -> str:
    """Anything that fires and that every cron reads alike."""
    day, weekday = random.choice(
        [
            ("*", "*"),
            (_field(random, 2), "*"),
            ("*", _field(random, 4)),
            (_item(random, 2), _item(random, 4)),
        ]
    )
    month = random.choice(["*", "*", _field(random, 3)])
    if month != "*" and day != "*":
        day = str(random.randint(1, 28))
    return f"{_field(random, 0)} {_field(random, 1)} {day} {month} {weekday}"


def aimed_expression(random: Random, wall: datetime) -> str:
    """Fires within some hours of the wall time, most often on its day."""
    near = [wall + timedelta(minutes=random.randint(-150, 150)) for _ in range(3)]
    hours = sorted({moment.hour for moment in near})
    minutes = sorted({moment.minute for moment in near} | {random.choice([0, 30, 59])})
    minute = random.choice(
        [
            "*",
            "*/7",
            "*/15",
            "*/30",
            "0",
            "30",
            str(minutes[0]),
            ",".join(map(str, minutes)),
            "0-59",
        ]
    )
    hour = random.choice(
        [
            "*",
            "*/2",
            "*/3",
            str(hours[0]),
            ",".join(map(str, hours)),
            "0-6",
            "1-3",
            "0-23",
            "1-23/2",
        ]
    )
    day, month, weekday = random.choice(
        [("*", "*", "*")] * 3
        + [
            (str(near[0].day), "*", "*"),
            (str(near[0].day), str(near[0].month), "*"),
            ("*", "*", str(near[0].isoweekday())),
            (str(near[0].day), "*", str(wall.isoweekday() % 7)),
            ("L", "*", "*"),
            ("*", "*", f"L{near[0].isoweekday() % 7}"),
            ("*", "*", f"{near[0].isoweekday() % 7}#{(near[0].day - 1) // 7 + 1}"),
        ]
    )
    return f"{minute} {hour} {day} {month} {weekday}"


def _field(random: Random, field: int) -> str:
    low, high = BOUNDS[field]
    every = random.randint(2, high - low)
    return random.choice(["*", f"*/{every}", _list(random, field), _list(random, field)])


def _list(random: Random, field: int) -> str:
    return ",".join(_item(random, field) for _ in range(random.choice([1, 1, 1, 2, 3])))


def _item(random: Random, field: int) -> str:
    low, high = BOUNDS[field]
    first, last = sorted(random.sample(range(low, high + 1), 2))
    if (first, last) == (low, high):
        return str(first)
    texts = [str(first), f"{first}-{last}", f"{first}-{last}/{random.randint(1, last - first)}"]
    if field in NAMES:
        names = NAMES[field]
        texts += [names[first - low], f"{names[first - low]}-{names[last - low]}".upper()]
    return random.choice(texts)
