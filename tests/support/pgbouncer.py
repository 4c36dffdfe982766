"""A real PgBouncer before a PostgreSQL server: each transaction may be on another connection."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.postgres import PostgresServer, free_port

STARTS_WITHIN_SECONDS = 30
# As the package ships it, but for the mode and for how few connections all clients share.
CONFIG = """
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
logfile = {folder}/pgbouncer.log
"""


def program() -> str:
    """Where PgBouncer is; without it the test is skipped, and the run's last lines say so."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("without pgbouncer: apt-get install pgbouncer")
    return found


class PgBouncer:
    """PgBouncer in transaction mode, on the loopback interface. Use it as a context manager."""

    def __init__(self, server: PostgresServer) -> None:
        self._program = program()
        self._server = server
        self._port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, direct: str) -> str:
        """The URL of a database through it, from the one that leads straight there."""
        through = sa.make_url(direct).set(host="127.0.0.1", port=self._port)
        return through.render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        url = self._server.url
        config = self._folder / "pgbouncer.ini"
        config.write_text(
            CONFIG.format(host=url.host, port=url.port, listen_port=self._port, folder=self._folder)
        )
        (self._folder / "users.txt").write_text(f'"{url.username}" "{url.password or ""}"\n')
        self._process = subprocess.Popen(
            [self._program, str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._unprivileged(),
        )
        self._wait_until_it_answers()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _unprivileged(self) -> dict[str, Any]:
        """How to start it: it refuses root."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        for path in (self._folder, *self._folder.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        address = self.url(self._server.url.render_as_string(hide_password=False))
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(address.replace("+psycopg", ""), connect_timeout=5).close()
                return
            if time.monotonic() > deadline or (self._process and self._process.poll() is not None):
                log = self._folder / "pgbouncer.log"
                said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                self.__exit__()
                raise RuntimeError(f"PgBouncer did not start:\n{said}")
            time.sleep(0.02)
