"""Programs as another scheduler starts them, and what of their surroundings matters. Pure."""

import re
from collections.abc import Iterator, Mapping

from tick.importers.entries import Kind, Note

_SECRET = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|(API|ACCESS|PRIVATE)_?KEY", re.IGNORECASE)
DAY_SECONDS = 86400


def without_secrets(env: Mapping[str, str]) -> tuple[dict[str, str], list[Note]]:
    """Return variables with `secret:NAME` for what looks like a secret, and what to do for it."""
    found, notes = {}, []
    for name, value in env.items():
        if value and _SECRET.search(name):
            found[name] = f"secret:{name}"
            said = f"the value of {name} looks like a secret and is not written into the code"
            notes.append(Note(Kind.CHANGED, said, f"give workers the variable {name}"))
        else:
            found[name] = value
    return found, notes


def hints(command: str) -> Iterator[Note]:
    """Yield what is worth knowing of a command line."""
    if re.search(r"(>>?\s*/dev/null\s+2>&1|&>\s*/dev/null)\s*\Z", command):
        said = "its output goes to /dev/null, so the run's log will be empty"
        yield Note(Kind.CARRIED, said, "leave the redirection out: the log is bounded")
    if re.search(r"\bflock\s+(-\w*n|--nonblock)", command):
        said = "flock keeps a second one from starting"
        yield Note(Kind.CARRIED, said, 'overlap="SKIP" does the same, and shows what was skipped')
    if found := re.search(r"\brun-parts\s+(?:-\S+\s+)*(\S+)", command):
        said = f"run-parts runs all of {found[1]} as one job"
        yield Note(Kind.CARRIED, said, "a job for each script shows and retries them apart")
    if re.search(r"\bsleep\s+(\$|`)", command):
        said = "it sleeps for a random time, and holds a worker's slot meanwhile"
        yield Note(Kind.CARRIED, said, "jitter= moves the instant itself")


def with_standard_input(command: str) -> tuple[str, str | None]:
    """Return what cron makes of `%`: the command, and its standard input if it has one."""
    parts = [""]
    escaped = False
    for letter in command:
        if letter == "%" and not escaped:
            parts.append("")
        elif letter == "%":
            parts[-1] = f"{parts[-1][:-1]}%"
        else:
            parts[-1] += letter
        escaped = letter == "\\" and not escaped
    return parts[0], "\n".join(parts[1:]) + "\n" if len(parts) > 1 else None
