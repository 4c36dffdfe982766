"""The command line: which benchmarks, on which databases, and how the result is shown."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.bench import idle_start, tick_due, tick_idle, worker
from tests.bench.measure import Measurement, Options
from tests.bench.places import Place, postgresql_place, sqlite_place

BENCHMARKS = {"due": tick_due, "idle": tick_idle, "start": idle_start, "worker": worker}
PLACES = {"sqlite": sqlite_place, "postgresql": postgresql_place}


def main() -> int:
    """Measure, and show."""
    args = parser().parse_args()
    with ExitStack() as stack:
        places = [stack.enter_context(PLACES[name]()) for name in args.database or PLACES]
        done = list(measure(places, args.only or BENCHMARKS, Options(args.repeats, args.rows)))
    durability = {place.dialect: place.durability for place in places}
    if args.json:
        rows = [measurement.as_dict() for measurement in done]
        print(json.dumps({"durability": durability, "measurements": rows}, indent=2))
    else:
        show(done, durability)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    whole = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    whole.add_argument("--only", action="append", choices=BENCHMARKS, help="this benchmark only")
    whole.add_argument("--database", action="append", choices=PLACES, help="on this database only")
    whole.add_argument("--rows", type=int, help="so many rows, in the place of the usual")
    whole.add_argument("--repeats", type=int, default=7, help="pairs to measure (%(default)s)")
    whole.add_argument("--json", action="store_true", help="print JSON with every single figure")
    return whole


def measure(
    places: Iterable[Place], names: Iterable[str], options: Options
) -> Iterator[Measurement]:
    """Every measurement, told on standard error as it comes."""
    for name in names:
        for place in places:
            for measurement in BENCHMARKS[name].measure(place, options):
                told = f"{place.dialect}: {measurement.name}, {measurement.rows:,} rows"
                print(f"{told}: ratio {measurement.ratio:.2f}", file=sys.stderr)
                yield measurement


def show(done: Iterable[Measurement], durability: dict[str, str]) -> None:
    """A table for people."""
    table = Table("what", "database", "rows", "ours, ms", "beside, ms", "ratio", "goal", "reached")
    for one in done:
        table.add_row(
            one.name,
            one.database,
            f"{one.rows:,}",
            _milliseconds(one.ours),
            _milliseconds(one.raw),
            f"{one.ratio:.2f}",
            _goal(one),
            "yes" if one.reached else "no",
        )
    console = Console()
    console.print(table, "Median (range) of the repetitions; ratio: median of the pairs.")
    for database, how in durability.items():
        console.print(f"{database}: {how}")


def _milliseconds(seconds: list[float]) -> str:
    low, middle, high = (1000 * value for value in (min(seconds), median(seconds), max(seconds)))
    return f"{middle:,.3g} ({low:,.3g}-{high:,.3g})"


def _goal(one: Measurement) -> str:
    if one.goal_seconds is not None:
        return f"< {1000 * one.goal_seconds:g} ms"
    return f"<= {one.goal_ratio:g}" if one.goal_ratio is not None else ""


sys.exit(main())
