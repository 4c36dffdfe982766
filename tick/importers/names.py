"""Names of jobs for what is imported: made from what it runs. Pure."""

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

# The ids of schedules hold no more.
_MOST = 50
# What only prepares for the program that does the work.
_WORDS = frozenset(
    {
        "[",
        "[[",
        "test",
        "-x",
        "-f",
        "-e",
        "-d",
        "&&",
        "||",
        ";",
        "cd",
        "root",
        "sudo",
        "env",
        "nice",
    }
    | {"ionice", "flock", "timeout", "chronic", "setsid", "nohup", "exec", "sh", "bash", "dash"}
    | {"zsh", "python", "python3", "php", "ruby", "node", "perl", "java", "command", "time", ":"}
    | {".", "source", "if", "then", "umask", "export", "set", "sleep"}
)
_TAKES_A_PATH = frozenset({"cd", "flock", "source", "."})
_ASSIGNMENT = re.compile(r"\w+=")
_SCRIPT_ENDINGS = (".sh", ".py", ".pl", ".rb", ".php", ".js", ".bash")


def name_of_command(text: str) -> str:
    """Return a name for a line of shell: that of the program or script that does the work."""
    before = ""
    for each in _words(text):
        word = each.strip("();&|{}")
        if word.startswith("-"):
            continue
        is_path, before = before in _TAKES_A_PATH, word
        if is_path:
            continue
        if not word or word in _WORDS or _ASSIGNMENT.match(word) or word[0] in "-<>$`'\"0123456789":
            continue
        name = PurePosixPath(word).name
        if name in _WORDS or not re.search(r"[A-Za-z]", name):
            continue
        for ending in _SCRIPT_ENDINGS:
            name = name.removesuffix(ending)
        return slug(name)
    return "job"


def _words(text: str) -> Sequence[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def slug(text: str, otherwise: str = "job") -> str:
    """Return a text as a name: lower case letters, digits and dashes."""
    spread = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    found = re.sub(r"[^a-z0-9]+", "-", spread.lower()).strip("-")
    return found[:_MOST].strip("-") or otherwise


def told_apart(names: Iterable[str]) -> list[str]:
    """Return the names, each but the first of a kind with a number."""
    taken: set[str] = set()
    found = []
    for name in names:
        unique, number = name, 2
        while unique in taken:
            end = f"-{number}"
            unique, number = f"{name[: _MOST - len(end)]}{end}", number + 1
        taken.add(unique)
        found.append(unique)
    return found
