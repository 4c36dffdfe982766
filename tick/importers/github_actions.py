"""Workflows of GitHub Actions that a schedule starts. Pure."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from tick.importers.entries import Choices, Entry, File, Found, Kind, Note, Stub, Timing
from tick.importers.names import slug
from tick.importers.yaml_files import at, documents, line_of

_LATE = Note(
    Kind.CHANGED,
    "GitHub starts schedules late, or drops them under load, and switches them off after 60 days "
    "without a commit; here they fire on time",
)
_WORK = Note(
    Kind.LOST,
    "the steps run on GitHub's machines",
    "command() for what they do, or http() to its workflow_dispatch",
)


def read_github_actions(files: Sequence[File], choices: Choices) -> Found:
    """Return the schedules of workflow files."""
    entries = [
        entry for file in files for each in documents(file) for entry in _of(each, file, choices)
    ]
    return Found(entries, (_LATE, _WORK) if entries else ())


def _of(workflow: Any, file: File, choices: Choices) -> Iterator[Entry]:
    # To YAML 1.1 the key `on` is the truth value.
    events = at(workflow, "on") or (workflow.get(True) if isinstance(workflow, dict) else None)
    schedules = at(events, "schedule")
    stem = PurePosixPath(file.name).stem
    for item in schedules if isinstance(schedules, list) else []:
        expression = str(at(item, "cron") or "")
        zone = str(at(item, "timezone") or choices.zone or "UTC")
        yield Entry(
            line_of(file.text, expression),
            f"cron: {expression}",
            slug(str(at(workflow, "name") or stem)),
            Stub(f"the workflow {stem}"),
            Timing(zone, "debian-cron", expression),
            {"overlap": "ALLOW"} if not at(workflow, "concurrency") else {},
        )
