"""A filter with a mistake in it is a wrong call: exit status 2, what to write, and no list."""

import pytest

from tests.cli.conftest import CommandLine


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("runs --stauts FAILED", "--status"),
        ("runs --status FIALED", "did you mean FAILED?"),
        ("runs --status failed", "did you mean FAILED?"),
        ("runs --job fetsh", "did you mean fetch?"),
        ("runs --group report", "did you mean reports?"),
        ("runs --schedule monthly-reprot", "did you mean monthly-report?"),
        ("runs --worker c0ffee", "`tick workers` lists"),
        ("runs --since yesterday", "no ISO instant"),
        ("runs --before 0", "is no id"),
        ("runs --occurrence 1 --status FAILED", "--occurrence goes alone"),
        ("ledger monthly-reprot", "did you mean monthly-report?"),
        ("ledger --outcome MISED", "did you mean MISSED?"),
        ("alerts list --rule mised", "did you mean missed?"),
        ("alerts list --schedule monthly-reprot", "did you mean monthly-report?"),
        ("stats --window 7days", "'24h', '7d'"),
        ("stats --job fetsh", "did you mean fetch?"),
        ("stats --schedule monthly-reprot", "did you mean monthly-report?"),
        ("audit --since yesterday", "no ISO instant"),
        ("audit --actr ada", "--actor"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["words", "json"])
def test_a_mistyped_filter_is_a_wrong_call_and_shows_nothing(
    tick: CommandLine, call: str, told: str, form: list[str]
) -> None:
    assert told in tick.bad(*call.split(), *form, status=2)


def test_what_is_there_and_has_nothing_yet_is_no_mistake(tick: CommandLine) -> None:
    for call in ("runs --job report", "ledger launch", "runs --group trouble --status FAILED"):
        assert tick(*call.split()).exit_code == 0


def test_a_job_that_was_removed_is_known_by_its_runs(tick: CommandLine) -> None:
    tick.good("run", "--job", "fetch")
    found = tick("runs", "--job", "fetch", "--status", "FAILED", TICK_DEFINITIONS="tests.cli")
    assert found.exit_code == 0
