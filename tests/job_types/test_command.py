"""A job that is another program."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.job_types.conftest import Attempt, definition_of
from tick import Cancel, Retry, Skip, Snooze, command
from tick.define.registry import build_registry, load_registry
from tick.environment import inherited_by_commands
from tick.errors import DefinitionsInvalid
from tick.policy.retry import AttemptOutcome
from tick.settings import Settings


def python(code: str, **how: Any) -> Callable[[], Any]:
    """A command that runs Python code."""
    return command("probe", [sys.executable, "-c", code], group="tools", **how)


def test_it_is_a_job_with_the_policy_of_one() -> None:
    backup = command(
        "backup", ["pg_dump", "my app"], group="maintenance", timeout=60, retries=2, queue="slow"
    )
    definition = definition_of(backup)
    assert (definition.name, definition.group) == ("backup", "maintenance")
    assert (definition.timeout_seconds, definition.max_attempts, definition.queue) == (
        60,
        3,
        "slow",
    )
    assert definition.description == "pg_dump 'my app'"
    assert definition.source.startswith("job_types/test_command.py:")


def test_its_output_is_logged_line_by_line(attempt: Attempt) -> None:
    code = "import sys; print('one\\ntwo'); print('careful', file=sys.stderr)"
    end = attempt(python(code))
    assert end.how is AttemptOutcome.RETURNED
    assert sorted(attempt.log) == [("INFO", "one"), ("INFO", "two"), ("WARNING", "careful")]


def test_a_last_line_without_an_end_and_bytes_that_are_no_text_are_logged(attempt: Attempt) -> None:
    attempt(python(r"import os; os.write(1, b'caf\xe9\r\nend')"))
    assert attempt.log == [("INFO", "caf\N{REPLACEMENT CHARACTER}"), ("INFO", "end")]


def test_of_a_progress_bar_the_newest_states_are_logged(attempt: Attempt) -> None:
    bar = "import sys; [print(f'\\r{n}%', end='', file=sys.stderr) for n in range(101)]"
    end = attempt(python(bar))
    assert end.how is AttemptOutcome.RETURNED
    # On a slow machine some state may have stood for a second.
    assert attempt.log[-1] == ("WARNING", "100%")
    assert len(attempt.log) < 20


def test_an_endless_line_comes_in_pieces(attempt: Attempt) -> None:
    attempt(python("print('x' * 100_000)"))
    assert sum(len(message) for _, message in attempt.log) == 100_000
    assert max(len(message) for _, message in attempt.log) <= 8 * 1024


def test_a_code_that_is_not_zero_is_a_failure(attempt: Attempt) -> None:
    end = attempt(python("raise SystemExit(3)"))
    assert (end.how, end.error_type) == (AttemptOutcome.RAISED, "CalledProcessError")
    assert "returned non-zero exit status 3" in (end.error_message or "")


def test_a_death_by_signal_is_a_failure_that_names_it(attempt: Attempt) -> None:
    end = attempt(python("import os; os.kill(os.getpid(), 9)"))
    assert "died with <Signals.SIGKILL: 9>" in (end.error_message or "")


@pytest.mark.parametrize(
    ("meaning", "how"),
    [
        (None, AttemptOutcome.RETURNED),
        (Retry(60), AttemptOutcome.ASKED_RETRY),
        (Snooze(60), AttemptOutcome.ASKED_SNOOZE),
        (Cancel("no disk"), AttemptOutcome.ASKED_CANCEL),
        (Skip("nothing new"), AttemptOutcome.ASKED_SKIP),
    ],
)
def test_an_exit_code_may_mean_something_else(
    attempt: Attempt, meaning: Any, how: AttemptOutcome
) -> None:
    assert attempt(python("raise SystemExit(75)", exit_codes={75: meaning})).how is how


def test_even_zero_may(attempt: Attempt) -> None:
    assert attempt(python("", exit_codes={0: Skip("nothing new")})).reason == "nothing new"


def test_a_program_that_is_not_there_is_a_failure(attempt: Attempt) -> None:
    end = attempt(command("probe", ["/no/such/program"], group="tools"))
    assert (end.how, end.error_type) == (AttemptOutcome.RAISED, "FileNotFoundError")


def test_no_shell_reads_its_arguments(attempt: Attempt) -> None:
    attempt(command("probe", ["echo", "$HOME; ls *"], group="tools"))
    assert attempt.log == [("INFO", "$HOME; ls *")]


def test_a_shell_reads_them_if_asked_to(attempt: Attempt) -> None:
    attempt(command("probe", "echo a | tr a b", group="tools", shell=True))  # noqa: S604
    assert attempt.log == [("INFO", "b")]


def test_it_learns_about_its_run(attempt: Attempt, tmp_path: Path) -> None:
    names = ["RUN_ID", "ATTEMPT", "FENCING_TOKEN", "SCHEDULED_FOR"]
    code = f"import os; [print(os.environ['TICK_' + name]) for name in {names}]; print(os.getcwd())"
    attempt(python(code, cwd=tmp_path))
    said = [message for _, message in attempt.log]
    assert said == ["7", "2", "3", "2026-03-01T02:00:00+00:00", str(tmp_path)]


def test_it_gets_secrets_by_name_and_none_of_the_managers(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("pass word\n")
    monkeypatch.setenv("APP_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("TICK_SECRET_KEY", "the manager's own")
    code = "import os; print(os.environ['PGPASSWORD'], 'TICK_SECRET_KEY' in os.environ)"
    attempt(python(code, env={"PGPASSWORD": "secret:APP_PASSWORD"}))
    assert attempt.log == [("INFO", "pass word False")]


@pytest.mark.parametrize(
    "name",
    [name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)],
)
def test_no_setting_that_is_a_secret_reaches_a_command(name: str) -> None:
    variable = f"TICK_{name.upper()}"
    assert inherited_by_commands({variable: "x", f"{variable}_FILE": "x", "PATH": "y"}) == {
        "PATH": "y"
    }


def test_a_missing_secret_is_a_failure_that_names_it(attempt: Attempt) -> None:
    end = attempt(python("", env={"PGPASSWORD": "secret:NO_SUCH_THING"}))
    assert end.error_type == "SettingsError"
    assert "set NO_SUCH_THING, or NO_SUCH_THING_FILE" in (end.error_message or "")


def test_a_cancelled_run_terminates_it(attempt: Attempt) -> None:
    attempt.output.asked_to_stop = True
    end = attempt(python("import time; time.sleep(600)"))
    assert end.how is AttemptOutcome.CANCELLED


def test_what_it_left_behind_does_not_hold_the_run_up(attempt: Attempt) -> None:
    code = (
        "import subprocess, sys; print('done');"
        " subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(5)'])"
    )
    end = attempt(python(code))
    assert (end.how, attempt.log) == (AttemptOutcome.RETURNED, [("INFO", "done")])


def test_one_that_closes_its_output_is_waited_for(attempt: Attempt) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(4)"
    assert "exit status 4" in (attempt(python(code)).error_message or "")


AS_A_LIST = 'write a list, ["program", "argument"], or add shell=True to have a shell read one text'


def test_a_mistake_is_told_with_its_place() -> None:
    jobs = [
        command("text", "rm -rf /", group="tools"),
        command("none", [], group="tools"),
        command("numbers", ["sleep", 5], group="tools"),  # type: ignore[list-item]
        command("shell", ["echo", "a"], group="tools", shell=True),  # noqa: S604
        command("codes", ["true"], group="tools", exit_codes={3: "retry"}),  # type: ignore[dict-item]
    ]
    with pytest.raises(DefinitionsInvalid) as caught:
        build_registry(map(definition_of, jobs), [])
    told = sorted(caught.value.mistakes)
    assert all(text.startswith("job_types/test_command.py:") for text in told)
    assert [text.partition(": ")[2] for text in told] == [
        f"job 'text': argv is 'rm -rf /'; {AS_A_LIST}.",
        f"job 'none': argv is []; {AS_A_LIST}.",
        "job 'numbers': argv holds 5; write it as a text.",
        "job 'shell': with shell=True argv is one text, such as \"df -h | tail\", not "
        "['echo', 'a'].",
        "job 'codes': exit code 3 means 'retry'; use Retry, Cancel, Snooze, Skip or None.",
    ]


def test_an_option_that_does_not_exist_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "typing_errors.py").write_text(
        "from tick import command\n\nx = command('x', ['true'], group='a', retrys=2)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(DefinitionsInvalid) as caught:
        load_registry("typing_errors")
    (told,) = caught.value.mistakes
    assert "typing_errors.py:3: importing typing_errors raised TypeError: " in told
    assert "'retrys'" in told
