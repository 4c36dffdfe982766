"""A place to run the product's real processes in, and to end all of them for sure."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil
import sqlalchemy as sa

from tests.deploy.recipes import DEPLOY
from tests.support.postgres import free_port
from tick.store.database import Database

T = TypeVar("T")
WITHIN_SECONDS = 30
JOBS = '''
import logging
from tick import Schedule, job

@job(group="greetings")
def hello() -> dict[str, int]:
    """Greet."""
    logging.getLogger(__name__).info("hello there")
    return {"greeted": 1}

schedules = [Schedule(id="yearly", name="Yearly", cron="0 0 1 1 *", mode="ALL_JOBS")]
'''


class Answer(NamedTuple):
    """What the console answered."""

    status: int
    body: str
    headers: dict[str, str]


class Site:
    """A folder with definitions, a database and settings, as a platform lays them out.

    It keeps in mind the descendants of what it starts: so they are found and ended even when their
    parent is gone.
    """

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, self.port = folder, free_port()
        self.database = Database(database_url)
        self._started: list[subprocess.Popen[str]] = []
        self._seen: set[psutil.Process] = set()
        (folder / "definitions").mkdir()
        (folder / "definitions" / "__init__.py").write_text(JOBS)
        (folder / "deploy").mkdir()
        for place in (folder, folder / "deploy"):
            shutil.copy(DEPLOY / "gunicorn.conf.py", place)
        (folder / "secret_key").write_text(secrets.token_urlsafe(32))
        self.environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PORT": str(self.port),
            "TICK_DATABASE_URL": database_url,
            "TICK_SECRET_KEY_FILE": str(folder / "secret_key"),
            "TICK_WORKER_PROCESSES": "1",
            "WEB_CONCURRENCY": "1",
        }

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a process; what it prints goes to the site's log."""
        with self._log.open("ab") as log:
            return self._start(command, environment, stdout=log, stderr=log)

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        pipe = subprocess.PIPE
        with self._start(command, environment, stdout=pipe, stderr=pipe) as process:
            try:
                stdout, stderr = process.communicate(timeout=WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                self._end_processes()
                raise
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The console's answer to a request; status 0 while nobody listens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            response = connection.getresponse()
            body = response.read().decode(errors="replace")
            return Answer(response.status, body, dict(response.getheaders()))
        except (OSError, HTTPException):
            return Answer(0, "", {})
        finally:
            connection.close()

    def rows(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """What a query finds."""
        with self.database.read.connect() as connection:
            return connection.execute(statement).all()

    def wait_for(self, question: Callable[[], T], what: str) -> T:
        """Ask again and again until the answer is true; it, or a failure that shows the log."""
        until = time.monotonic() + WITHIN_SECONDS
        while not (answer := question()):
            self._look()
            assert time.monotonic() < until, f"{what} did not come about:\n{self.log}"
            time.sleep(0.05)
        return answer

    def wait_until_ready(self) -> None:
        """Wait until the console answers that it is ready."""
        self.wait_for(lambda: self.get("/readyz").status == 200, "a ready console")

    def stop(self, process: "subprocess.Popen[str]", within_seconds: float) -> int:
        """Ask a process by SIGTERM to end; its exit status."""
        self._look()
        process.terminate()
        try:
            return process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there {within_seconds} s on:\n{self.log}") from None

    @property
    def log(self) -> str:
        """What the processes printed."""
        return self._log.read_text(errors="replace")

    @property
    def processes(self) -> list[psutil.Process]:
        """The processes of this site that live."""
        self._look()
        return [process for process in self._seen if is_alive(process)]

    def close(self) -> None:
        """End every process of this site."""
        self.database.close()
        self._end_processes()
        for started in self._started:
            started.wait(WITHIN_SECONDS)

    def _start(
        self, command: Sequence[str], environment: dict[str, str], **streams: Any
    ) -> "subprocess.Popen[str]":
        started = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            **streams,
        )
        self._started.append(started)
        self._seen.add(psutil.Process(started.pid))
        return started

    def _end_processes(self) -> None:
        while ours := self.processes:
            for process in ours:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _look(self) -> None:
        for process in [*self._seen]:
            with suppress(psutil.NoSuchProcess):
                self._seen.update(process.children(recursive=True))


def is_alive(process: psutil.Process) -> bool:
    """Whether the process is there, and more than an exit status that nobody has read."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
