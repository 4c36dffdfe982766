"""Workers' processes, forked from one that has imported what all of them need.

Started afresh, each imports for half a second or more, and a test of workers has several. These
begin where their imports end. All else is as `subprocess.Popen` makes it: each is a child of who
asks for it, in a session of its own if it is to be, with the same descriptors and main module.
"""

import ctypes
import gc
import importlib
import json
import os
import platform
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

from tick.executors import child_process

CHILD = "tick.executors.child"  # what a worker starts, which itself starts no other
CLONE_PARENT = 0x8000
SYSCALLS_OF_CLONE = {"x86_64": 56, "aarch64": 220}
CAN_FORK = sys.platform == "linux" and platform.machine() in SYSCALLS_OF_CLONE

start_child = child_process._spawn


class ForkedProcess(subprocess.Popen[bytes]):
    """A child of this process that another one forked for it."""

    def __init__(self, pid: int, output: int | None) -> None:
        self.pid, self.args, self.returncode = pid, str(pid), None
        self.stdin = self.stderr = self.stdout = None
        if output is not None:
            self.stdout = os.fdopen(output, "rb", buffering=0)
        self._child_created, self._waitpid_lock = True, threading.Lock()


class Template:
    """A process that has imported a module, and forks children of this process that execute it."""

    def __init__(self, module: str, control: socket.socket | None = None) -> None:
        self._module, self._owner, self._lock = module, os.getpid(), threading.Lock()
        self._surroundings = _surroundings()
        self._control, self._process = control, None

    def fits(self) -> bool:
        """Whether a fork is what a start would be, in surroundings that a test may have changed."""
        return CAN_FORK and os.getpid() == self._owner and _surroundings() == self._surroundings

    def fork(
        self, arguments: Sequence[str], descriptors: Sequence[int], output: int | None = None
    ) -> ForkedProcess:
        """Fork a process; the first two descriptors are its output, others follow its arguments."""
        with self._lock:
            control = self._control or self._begin()
            socket.send_fds(control, [json.dumps(arguments).encode()], descriptors)
            pid = int(control.recv(32))
        return ForkedProcess(pid, output)

    def spawn(self, definitions: str, *sockets: socket.socket) -> "subprocess.Popen[bytes]":
        """Stand in for `child_process._spawn`."""
        if not self.fits():
            return start_child(definitions, *sockets)
        output, theirs = os.pipe()
        try:
            descriptors = [theirs, theirs, *(each.fileno() for each in sockets)]
            return self.fork([definitions], descriptors, output)
        finally:
            os.close(theirs)

    def close(self) -> None:
        """End the process that forks."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait()

    def _begin(self) -> socket.socket:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return self._control


def _surroundings() -> tuple[object, ...]:
    """What a process takes over from the one that starts it."""
    settings = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return os.getcwd(), settings


def serve(control: socket.socket, module: str) -> list[str]:
    """Fork a process for each request; in it, return its arguments."""
    while True:
        told, descriptors, _, _ = socket.recv_fds(control, 4096, 8)
        if not told:
            os._exit(0)  # whoever asked is over
        if _fork_sibling():
            for descriptor in descriptors:
                os.close(descriptor)
            continue
        if module == CHILD:
            os.setsid()
        output, errors, *others = descriptors
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.close(output)
        os.close(errors)
        # Only now can its group be killed.
        control.send(str(os.getpid()).encode())
        control.close()
        if module == CHILD:
            return [*json.loads(told), *map(str, others), str(os.getppid())]
        control, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork():
            control.close()
            child_process._spawn = Template(CHILD, ours).spawn
            return list(json.loads(told))
        ours.close()
        module = CHILD  # this is the template of that process's children


def _fork_sibling() -> int:
    """Fork as `os.fork` does, but for the copy's parent: it is this process's."""
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    flags = CLONE_PARENT | signal.SIGCHLD
    number = SYSCALLS_OF_CLONE[platform.machine()]
    pid: int = ctypes.PyDLL(None).syscall(number, *map(ctypes.c_long, (flags, 0, 0, 0, 0)))
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    return pid


def main(module: str, descriptor: int) -> None:
    """Import what the module needs, then fork; a copy goes on with the module."""
    from tick.define.params import validate_params

    for name in {module, CHILD}:
        importlib.import_module(name)
        del sys.modules[name]  # it is to be the main module of a copy
    if module != CHILD:
        importlib.import_module("sqlalchemy.dialects.postgresql.psycopg")
    validate_params(main, {"module": module, "descriptor": descriptor})
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=descriptor)
    arguments = serve(control, module)
    executed = CHILD if child_process._spawn is start_child else module
    sys.argv[1:] = arguments
    runpy.run_module(executed, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
