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
from tests.bench.measure import Measurement, Options, Throughput
from tests.bench.places import Place, postgresql_place, sqlite_place

BENCHMARKS = {"due": tick_due, "idle": tick_idle, "start": idle_start, "worker": worker}
WIDTH_OF_A_FILE = 140
PLACES = {"sqlite": sqlite_place, "postgresql": postgresql_place}


def main() -> int:
    """Measure, and show."""
    args = parser().parse_args()
    names = args.names or list(BENCHMARKS)
    with ExitStack() as stack:
        places = [stack.enter_context(PLACES[name]()) for name in args.database or PLACES]
        done = list(measure(places, names, Options(args.repeats, args.rows)))
    durability = {place.dialect: place.durability for place in places}
    if args.json:
        rows = [one.as_dict() for one in done]
        print(json.dumps({"durability": durability, "measurements": rows}, indent=2))
    else:
        show(done, durability)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    whole = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = f"only these of {', '.join(BENCHMARKS)}"
    whole.add_argument(
        "names", nargs="*", choices=[*BENCHMARKS, []], metavar="BENCHMARK", help=names
    )
    whole.add_argument("--database", action="append", choices=PLACES, help="on this database only")
    whole.add_argument("--rows", type=int, help="so many rows, in the place of the usual")
    whole.add_argument("--repeats", type=int, default=7, help="rounds to measure (%(default)s)")
    whole.add_argument("--json", action="store_true", help="print JSON with every single figure")
    return whole


def measure(
    places: Iterable[Place], names: Iterable[str], options: Options
) -> Iterator[Measurement | Throughput]:
    """Everything that is measured, told on standard error as it comes."""
    for name in names:
        for place in places:
            for one in BENCHMARKS[name].measure(place, options):
                print(f"{place.dialect}: {one.name}: {_short(one)}", file=sys.stderr)
                yield one


def show(done: Iterable[Measurement | Throughput], durability: dict[str, str]) -> None:
    """Tables for people."""
    console, done = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE), list(done)
    if measurements := [one for one in done if isinstance(one, Measurement)]:
        console.print(_beside_sql(measurements))
        console.print("Median (range) of the repetitions; ratio: median of the pairs.")
    if throughputs := [one for one in done if isinstance(one, Throughput)]:
        console.print(_beside_peers(throughputs))
        console.print(
            "Median (range) of the rounds. Processor: worker with its children, database."
        )
    for database, how in durability.items():
        console.print(f"{database}: {how}")


def _beside_sql(measurements: Iterable[Measurement]) -> Table:
    table = Table("what", "database", "rows", "ours, ms", "beside, ms", "ratio", "goal", "reached")
    for one in measurements:
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
    return table


def _beside_peers(throughputs: list[Throughput]) -> Table:
    peers = list(dict.fromkeys(name for one in throughputs for name in one.beside))
    table = Table(
        "what", "database", "jobs/s", "processor, us/job", *(f"x {name}" for name in peers)
    )
    for one in throughputs:
        rates = [
            f"{rate:,.0f}" for rate in (median(one.rates()), min(one.rates()), max(one.rates()))
        ]
        worker, database = one.microseconds()
        table.add_row(
            one.name,
            one.database,
            f"{rates[0]} ({rates[1]}-{rates[2]})",
            f"{worker:.0f}" + ("" if database is None else f" + {database:.0f}"),
            *("" if (times := one.times(name)) is None else f"{times:.1f}" for name in peers),
        )
    return table


def _short(one: Measurement | Throughput) -> str:
    if isinstance(one, Measurement):
        return f"{one.rows:,} rows, ratio {one.ratio:.2f}"
    return f"{median(one.rates()):,.0f} jobs/s"


def _milliseconds(seconds: list[float]) -> str:
    low, middle, high = (1000 * value for value in (min(seconds), median(seconds), max(seconds)))
    return f"{middle:,.3g} ({low:,.3g}-{high:,.3g})"


def _goal(one: Measurement) -> str:
    if one.goal_seconds is not None:
        return f"< {1000 * one.goal_seconds:g} ms"
    return f"<= {one.goal_ratio:g}" if one.goal_ratio is not None else ""


sys.exit(main())
