"""`tick cron next --dialect` and `tick cron compare`: what other schedulers do."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import CommandLine

NO_DATABASE = {"TICK_DATABASE_URL": "postgresql://tick:pass@127.0.0.1:1/tick"}
SPRING = ["--tz", "Europe/Berlin", "--after", "2026-03-28T12:00:00Z"]
LINE = {"zone": "Europe/Berlin", "after": "2026-03-28T12:00:00Z"}


def compared(tick: CommandLine, path: Path) -> list[dict[str, Any]]:
    said = tick.good("cron", "compare", "--batch", str(path), **NO_DATABASE)
    return [json.loads(line) for line in said.splitlines()]


def test_cron_next_tells_what_another_scheduler_does(tick: CommandLine) -> None:
    head, *lines = tick.good(
        "cron", "next", "30 2 * * *", *SPRING, "-n", "1", "--dialect", "busybox-crond"
    ).splitlines()
    assert head == "As busybox-crond 1.37.0 fires it (Europe/Berlin)"
    assert lines == ["2026-03-30T00:30:00Z  Mon 2026-03-30 02:30 CEST"]


def test_cron_next_tells_of_a_drawn_minute(tick: CommandLine) -> None:
    drawn = ["cron", "next", "0~30 4 * * *", "--dialect", "cronie"]
    assert "at random, minute 0-30; shown is the earliest" in tick.good(*drawn)
    answer = tick.json(*drawn)
    assert (answer["random"], answer["range"]) == (True, "minute 0-30")


def test_cron_next_tells_of_a_line_that_never_runs(tick: CommandLine) -> None:
    said = tick.good("cron", "next", "0 22-2 * * *", "--dialect", "debian-cron")
    assert said.endswith("It never fires.\n")


def test_cron_next_refuses_what_the_engine_refuses(tick: CommandLine) -> None:
    said = tick.bad("cron", "next", "0 0 * * 7", "--dialect", "busybox-crond")
    assert "busybox-crond refuses weekday '7'" in said
    assert "cronie" in tick.bad("cron", "next", "* * * * *", "--dialect", "croniee", status=2)


def test_compare_answers_each_line_in_order(tick: CommandLine, tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    lines = [
        json.dumps({"engine": "busybox-crond", "expr": "30 2 * * *", **LINE}),
        "no JSON",
        json.dumps({"engine": "debian-cron", "expr": "30 2 * * *", **LINE}),
        "",
        json.dumps({"engine": "cronie", "expr": "0~30 2 * * *", **LINE}),
        json.dumps({"engine": "cronie", "expr": "0 25 * * *", **LINE}),
        "x" * 20000,
        json.dumps({"engine": "node-cron", "expr": "0 0 13 * 5", **LINE}),
    ]
    batch.write_text("\n".join(lines))
    found = compared(tick, batch)
    assert ["error" in each for each in found] == [0, 1, 0, 1, 0, 1, 1, 0]
    assert [each.get("differs") for each in found if "error" not in each] == [1, 0, 1, 1]
    assert len(found[0]["next"]) == len(found[0]["ours"]) == 10
    assert found[0]["next"][0] == "2026-03-30T00:30:00Z"
    assert found[0]["ours"][0] == "2026-03-29T01:00:00Z"
    drawn = found[4]
    assert (drawn["random"], drawn["range"], drawn["ours"]) == (True, "minute 0-30", None)
    assert "H(0-30)" in drawn["why"]
    assert "longer than" in found[6]["error"]


def test_compare_reads_standard_input(tick: CommandLine) -> None:
    line = json.dumps({"engine": "croner", "expr": "@daily", **LINE})
    said = tick.good("cron", "compare", "--batch", "-", stdin=f"{line}\n", **NO_DATABASE)
    assert json.loads(said)["differs"] is False
    assert len(said.splitlines()) == 1
