"""A worker's child that was forked for a test is what one that was started is."""

import os
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.forked import CHILD, ForkedProcess, Template, start_child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks siblings")


@pytest.fixture
def template() -> Iterator[Template]:
    template = Template(CHILD)
    yield template
    template.close()


def seen_from_outside(spawn: Callable[..., Any]) -> dict[str, object]:
    """What the system shows of a child that is ready."""
    ours, theirs = socket.socketpair()
    tokens, childs_tokens = socket.socketpair()
    with ours, theirs, tokens, childs_tokens:
        process = spawn("tests.worker.jobs", theirs, childs_tokens)
        theirs.close()
        ours.settimeout(60)
        assert b"ready" in ours.recv(4096)
        assert process.stdout is not None
        with closing(process.stdout):
            found = look_at(process.pid)
            process.kill()
            return found | {"status": process.wait()}


def look_at(pid: int) -> dict[str, object]:
    child, files = psutil.Process(pid), Path(f"/proc/{pid}/fd")
    links = {int(path.name): os.readlink(path) for path in files.iterdir()}
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {
        "parent": child.ppid() == os.getpid(),
        "leads a session": os.getsid(pid) == os.getpgid(pid) == pid,
        "streams": (links[0], links[1] == links[2], links[1].partition(":")[0]),
        "descriptors": Counter(link.partition(":")[0] for link in links.values()),
        "threads": child.num_threads(),
        "folder": child.cwd(),
        "signals": [line for line in status if line.startswith(("SigIgn", "SigBlk", "SigCgt"))],
    }


def test_a_forked_child_looks_like_a_started_one(template: Template) -> None:
    assert seen_from_outside(template.spawn) == seen_from_outside(start_child)


def test_where_a_test_has_changed_the_surroundings_a_child_is_started(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM", "search")
    assert not template.fits()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = template.spawn("tests.worker.jobs", theirs, theirs)
    assert process.stdout is not None
    process.stdout.close()
    process.kill()
    process.wait()
    assert not isinstance(process, ForkedProcess)
