"""Reads what deploy/ tells platforms to run. Each reader knows as much syntax as our files use."""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SYSTEMD_PROGRAMS = "/opt/tick/venv/bin/"
Command = tuple[str, ...]


class Instruction(NamedTuple):
    """One instruction of the Dockerfile, and the stage that it stands in: 0, 1."""

    stage: int
    name: str
    value: str

    @property
    def argv(self) -> Command:
        """The value of a CMD or HEALTHCHECK in exec form."""
        return tuple(json.loads(self.value[self.value.index("[") :]))


def procfile() -> dict[str, Command]:
    """Process type → command."""
    lines = (DEPLOY / "Procfile").read_text().splitlines()
    return {name: tuple(shlex.split(text)) for name, _, text in (s.partition(":") for s in lines)}


def compose() -> dict[str, dict[str, str]]:
    """Service → its own keys with a value on the same line."""
    services = (DEPLOY / "compose.yaml").read_text().split("\nservices:\n")[1].split("\n\nnet")[0]
    found: dict[str, dict[str, str]] = {}
    for line in services.splitlines():
        if name := re.fullmatch(r"  (\w+):(?:  #.*)?", line):
            found[name[1]] = {}
        elif pair := re.fullmatch(r"    (\S+): (.+)", line):
            found[[*found][-1]][pair[1]] = pair[2]
    return found


def systemd_units() -> dict[str, RawConfigParser]:
    """File name of each service and timer → its sections."""
    units = {}
    for path in sorted((DEPLOY / "systemd").glob("tick-*.*")):
        if path.is_file():
            units[path.name] = RawConfigParser(delimiters="=", strict=True)
            units[path.name].optionxform = str
            units[path.name].read_string(path.read_text())
    return units


def dockerfile() -> list[Instruction]:
    """The instructions, in order; those before the first FROM belong to stage -1."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    stage, found = -1, []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition(" ")
        stage += name == "FROM"
        found.append(Instruction(stage, name, " ".join(value.split())))
    return found


def copies(stage: int) -> Iterator[tuple[list[str], str]]:
    """(sources, target) of each COPY from the checkout in a stage."""
    for instruction in dockerfile():
        words = instruction.value.split()
        if (instruction.stage, instruction.name) == (stage, "COPY") and "--from" not in words[0]:
            yield words[:-1], words[-1]


def start_commands() -> dict[Command, list[str]]:
    """Each distinct command that a platform starts → the platforms, as "systemd tick-now"."""
    found = defaultdict(list)
    for name, command in procfile().items():
        found[command].append(f"Procfile {name}")
    for name, keys in compose().items():
        if "command" in keys:
            found[tuple(json.loads(keys["command"]))].append(f"compose {name}")
    for name, unit in systemd_units().items():
        if unit.has_option("Service", "ExecStart"):
            command = unit["Service"]["ExecStart"].removeprefix(SYSTEMD_PROGRAMS)
            found[tuple(command.split())].append(f"systemd {name.removesuffix('.service')}")
    for instruction in dockerfile():
        if instruction.name == "CMD":
            found[instruction.argv].append("Dockerfile")
    return dict(found)
