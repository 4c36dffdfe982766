"""`tick import`: definitions for what another scheduler runs, with a report and a proof."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import click

from tick.cli.exit_status import ExitStatus
from tick.cli.output import harmless, show_json
from tick.cli.parameters import INSTANT, OneOf, as_json, wants_json
from tick.cron.dialects.by_day import Span
from tick.cron.zones import check_zone
from tick.errors import InvalidCron
from tick.importers.carry import Carried, carry
from tick.importers.definitions_file import definitions_of
from tick.importers.entries import Choices, File, Found, ImportRefused
from tick.importers.old_logs import Checked, check, read_log
from tick.importers.proof import PROOF_DAYS
from tick.importers.report import as_json as report_as_json
from tick.importers.report import in_words, proof_in_words
from tick.importers.sources import MOST_CHARACTERS, SOURCES, read

_FOUR_BYTES = 4
_WRITTEN = click.Path(dir_okay=False, path_type=Path)


class _Import(click.Command):
    """Takes the word `check` in front of the source: then there has to be a log."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what is left of the arguments."""
        if args[:1] == ["check"]:
            args = args[1:]
            if not any(each.startswith("--log") for each in args):
                raise click.UsageError("check compares with a log: give --log LOG.", ctx)
        return super().parse_args(ctx, args)


@click.command("import", cls=_Import)
@click.argument("source", type=OneOf(tuple(SOURCES)), metavar="SOURCE")
@click.argument("files", type=click.File("rb"), nargs=-1, required=True, metavar="FILE...")
@click.option("--tz", help="Time zone of the machine there, where the files don't say.")
@click.option("--system", is_flag=True, help="Each line names a user, as in /etc/cron.d.")
@click.option("--group", default="imported", show_default=True, help="The group of the jobs.")
@click.option("--output", type=_WRITTEN, help="Write the definitions to this new file.")
@click.option("--proof", type=_WRITTEN, help="Write both sides' instants to this new file.")
@click.option("--log", type=click.File("rb"), help="With check: what the old system logged.")
@click.option("--after", type=INSTANT, help="Compare 400 days after this instant; default: now.")
@as_json
def import_(
    source: str,
    files: tuple[BinaryIO, ...],
    tz: str | None,
    system: bool,
    group: str,
    output: Path | None,
    proof: Path | None,
    log: BinaryIO | None,
    after: datetime | None,
) -> None:
    """Bring schedules from another scheduler, running none of it.

    Writes definitions to standard output, or to --output, and tells for each entry what was carried
    over, what changes and what can't be; and which of the next 400 days' instants differ. With
    `tick import check SOURCE FILE --log LOG` it tells instead which instants the old system's own
    log shows (cron in syslog, events of CronJobs as JSON, beat) and which ours would be.

    For example: tick import debian-cron - --tz Europe/Berlin --output definitions/brought.py
    """
    from tick.clock import now

    _check(tz)
    span = Span(*_span(after or now()), "UTC")
    found = read(source, [_text(file) for file in files], Choices(tz, system))
    carried = [carry(entry, span) for entry in found.entries]
    if log is not None:
        seen = read_log(_text(log).text, tz or "UTC", after or now())
        _tell_checked(check(carried, seen))
        return
    definitions = definitions_of(source, carried, group)
    if output:
        _write(output, definitions)
    if proof:
        _write(proof, proof_in_words(carried))
    _tell(source, carried, found, span, definitions, written=output is not None)


def _check(tz: str | None) -> None:
    if tz is not None:
        try:
            check_zone(tz)
        except InvalidCron as error:
            raise click.BadParameter(f"{error}.", param_hint="'--tz'") from None


def _span(after: datetime) -> tuple[datetime, datetime]:
    start = after.replace(second=0, microsecond=0)
    return start, start + timedelta(days=PROOF_DAYS)


def _text(file: BinaryIO) -> File:
    # No more than shows that it is too much.
    found = file.read(_FOUR_BYTES * MOST_CHARACTERS + 1)
    name = getattr(file, "name", "-")
    try:
        return File(str(name), found.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"{name} is no UTF-8 text at byte {error.start}; convert it, for example with "
            "`iconv -f latin1 -t utf-8`."
        ) from None


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ImportRefused(f"{path} exists already: name another file, or move it away.") from None


def _tell(
    source: str,
    carried: list[Carried],
    found: Found,
    span: Span,
    definitions: str,
    *,
    written: bool,
) -> None:
    if wants_json():
        show_json(report_as_json(source, carried, found, definitions))
        return
    if not written:
        click.echo(definitions, nl=False)
    # Beside the definitions, so that a pipe gets those only.
    click.echo(harmless(in_words(source, carried, found.notes, span)), err=not written)


def _tell_checked(found: list[Checked]) -> None:
    if wants_json():
        show_json([asdict(each) for each in found])
    else:
        for each in found:
            click.echo(harmless(_checked_in_words(each)))
    if not all(each.agrees for each in found):
        raise SystemExit(ExitStatus.CHANGES)


def _checked_in_words(checked: Checked) -> str:
    lines = [f"line {checked.line}  {checked.name}: {checked.both} in the log and here"]
    for at, said in sorted(
        [(at, "- {}  in the log only") for at in checked.only_there]
        + [(at, "+ {}  here only") for at in checked.only_here]
    ):
        lines.append(f"  {said.format(f'{at:%Y-%m-%dT%H:%MZ}')}")
    return "\n".join(lines)
