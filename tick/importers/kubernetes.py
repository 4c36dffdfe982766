"""CronJobs of Kubernetes. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tick.importers.commands import DAY_SECONDS, without_secrets
from tick.importers.entries import (
    Choices,
    Entry,
    File,
    Found,
    Kind,
    Note,
    Program,
    Stub,
    Timing,
)
from tick.importers.names import slug
from tick.importers.yaml_files import at, documents, line_of, texts

_ZONE = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)\Z")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_OVERLAPS = {"Forbid": "SKIP", "Replace": "REPLACE"}
_BACKOFF_LIMIT = 6
# Of no use as max_catch_up_age: the least grace of ours.
_SHORT_SECONDS = 120
_ELSEWHERE = (
    ("volumes", "volumes: give the worker what they held"),
    ("nodeSelector", "nodeSelector: start a worker there, with a queue of its own"),
    ("tolerations", "tolerations: start a worker there, with a queue of its own"),
    ("serviceAccountName", "serviceAccountName: give the worker that account"),
)


def read_kubernetes(files: Sequence[File], choices: Choices) -> Found:
    """Return the CronJobs among the resources of the files."""
    entries = [
        _entry(resource, file, choices)
        for file in files
        for document in documents(file)
        for resource in _resources(document)
    ]
    said = "a pod starts anew for each run; here a worker runs it"
    instead = "start the worker in the same image, or let a command start a container"
    return Found(entries, (Note(Kind.CHANGED, said, instead),) if entries else ())


def _resources(document: Any) -> Iterator[Any]:
    if at(document, "kind") == "CronJob":
        yield document
    items = at(document, "items")
    for item in items if isinstance(items, list) else []:
        if at(item, "kind") == "CronJob":
            yield item


def _entry(resource: Any, file: File, choices: Choices) -> Entry:
    name = str(at(resource, "metadata", "name") or "cronjob")
    spec, job = at(resource, "spec"), at(resource, "spec", "jobTemplate", "spec")
    schedule = str(at(spec, "schedule") or "")
    timing, notes = _timing(schedule, at(spec, "timeZone") or choices.zone)
    options, of_options = _options(spec)
    policy = {"timeout": at(job, "activeDeadlineSeconds") or DAY_SECONDS}
    limit = at(job, "backoffLimit")
    policy["retries"] = limit if isinstance(limit, int) else _BACKOFF_LIMIT
    if not policy["retries"]:
        del policy["retries"]
    work, of_work = _work(at(job, "template", "spec"))
    return Entry(
        line_of(file.text, f"name: {name}", f'"{name}"', name),
        f"{name}: {schedule}",
        slug(name),
        work,
        timing,
        options,
        policy,
        tuple([*notes, *of_options, *of_work, *_of_job(job)]),
    )


def _timing(schedule: str, zone: Any) -> tuple[Timing | None, list[Note]]:
    notes = []
    if found := _ZONE.match(schedule):
        zone, schedule = found[1], found[2]
    elif zone is None:
        said = "it follows the clock of the control plane, taken to be UTC"
        notes.append(Note(Kind.CARRIED, said, "--tz ZONE, if that is in another zone"))
    zone = str(zone or "UTC")
    if not schedule:
        return None, [Note(Kind.DEAD, "it has no schedule", "say when it is meant")]
    if schedule.startswith("@every "):
        said = "it counts from the start of the controller; here from 1970"
        notes.append(Note(Kind.CHANGED, said, "anchor= is the first instant"))
        return Timing(every=_length(schedule[7:])), notes
    return Timing(zone, "robfig-cron", schedule), notes


def _length(text: str) -> timedelta:
    found = _LENGTH.findall(text)
    return timedelta(seconds=min(sum(float(n) * _UNITS[unit] for n, unit in found), 1e9))


def _options(spec: Any) -> tuple[dict[str, Any], list[Note]]:
    options: dict[str, Any] = {"overlap": _OVERLAPS.get(at(spec, "concurrencyPolicy"), "ALLOW")}
    notes = []
    deadline = at(spec, "startingDeadlineSeconds")
    if isinstance(deadline, int) and deadline <= _SHORT_SECONDS:
        said = f"startingDeadlineSeconds {deadline}: what is later than our grace is MISSED, too"
        notes.append(Note(Kind.CARRIED, said))
    else:
        options["missed"] = "CATCH_UP"
        if isinstance(deadline, int):
            options["max_catch_up_age"] = deadline
    if at(spec, "suspend"):
        notes.append(Note(Kind.CARRIED, "it is suspended; each schedule arrives switched off"))
    if options["overlap"] == "SKIP":
        del options["overlap"]
    return options, notes


def _work(pod: Any) -> tuple[Program | Stub, list[Note]]:
    container, others = at(pod, "containers", 0), at(pod, "containers")
    image = str(at(container, "image") or "without a name")
    notes = []
    if isinstance(others, list) and len(others) > 1:
        said = f"{len(others) - 1} more containers run beside the first"
        notes.append(Note(Kind.LOST, said, "a job each, or one command that starts them"))
    if at(pod, "initContainers"):
        said = "initContainers run before it"
        notes.append(Note(Kind.LOST, said, "jobs of their own, named in depends_on="))
    for key, instead in _ELSEWHERE:
        if at(pod, key):
            notes.append(Note(Kind.LOST, *instead.split(": ")))
    argv = texts(at(container, "command")) + texts(at(container, "args"))
    env, of_env = _environment(container)
    notes += of_env
    if at(container, "resources", "limits"):
        said = "limits of memory and processor"
        notes.append(Note(Kind.LOST, said, "limits of the worker, and max_concurrent="))
    if not texts(at(container, "command")):
        said = f"what the image {image} starts by itself is not known here"
        notes.append(Note(Kind.LOST, said, "write it into the stub, with command() or in Python"))
        return Stub(f"the image {image} {' '.join(argv)}".strip()), notes
    notes.append(Note(Kind.CHANGED, f"it ran in the image {image}", "a worker in that image"))
    if any("$(" in part for part in argv[:1]) or re.search(r"\$\(\w+\)", " ".join(argv)):
        said = "Kubernetes replaces $(NAME) in commands; nothing does here"
        notes.append(Note(Kind.CHANGED, said, 'let a shell do it: ["sh", "-c", "… $NAME"]'))
    return Program(tuple(argv), env=env, cwd=at(container, "workingDir")), notes


def _environment(container: Any) -> tuple[dict[str, str], list[Note]]:
    plain: dict[str, str] = {}
    notes = []
    given = at(container, "env")
    for item in given if isinstance(given, list) else []:
        name = str(at(item, "name") or "")
        if not isinstance(item, Mapping) or not name:
            continue
        if "value" in item:
            plain[name] = str(item["value"])
        elif at(item, "valueFrom", "secretKeyRef"):
            plain[name] = f"secret:{name}"
            said = f"{name} comes from a Secret"
            notes.append(Note(Kind.CHANGED, said, f"give workers the variable {name}"))
        elif "valueFrom" in item:
            said = f"{name} comes from elsewhere"
            notes.append(Note(Kind.LOST, said, f"give workers the variable {name}"))
    if at(container, "envFrom"):
        said = "envFrom: variables of a ConfigMap or Secret"
        notes.append(Note(Kind.LOST, said, "give workers the variables"))
    env, of_env = without_secrets({n: v for n, v in plain.items() if v != f"secret:{n}"})
    return {name: env.get(name, value) for name, value in plain.items()}, [*notes, *of_env]


def _of_job(job: Any) -> Iterator[Note]:
    for key in ("parallelism", "completions"):
        if isinstance(number := at(job, key), int) and number > 1:
            yield Note(Kind.LOST, f"{key} {number}", "a batch: `tick run` starts jobs side by side")
