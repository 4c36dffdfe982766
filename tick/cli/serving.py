"""The commands that keep running: loop, worker, up."""

import logging
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import click

from tick.cli.local import log_to_stderr, ready_runtime
from tick.syncing import ensure_synced

log = logging.getLogger(__name__)


@click.command()
def loop() -> None:
    """Tick at each full minute, until stopped.

    For hosts where no platform calls `tick now` or POST /internal/tick.
    """
    from tick.notify.dispatcher import running
    from tick.ticks.loop import Loop

    log_to_stderr()
    with ready_runtime() as runtime, running(runtime) as dispatcher:
        Loop(runtime, dispatcher.run_in_thread).serve(_stop_on_signals())


@click.command()
@click.option("--queues", help="Only these queues, separated by commas (default: all).")
@click.option(
    "--processes", type=click.IntRange(1, 64), help="Child processes: so many jobs run at a time."
)
def worker(queues: str | None, processes: int | None) -> None:
    """Run what is enqueued, until stopped.

    SIGTERM lets running jobs finish for TICK_DRAIN_SECONDS and gives back the rest; a second one
    kills them.
    """
    from tick.notify.dispatcher import running
    from tick.stop import Stop
    from tick.worker.worker import Worker

    log_to_stderr()
    # First, so that a SIGTERM while the runtime opens ends the worker in order as well.
    stop = Stop()
    stop.on_signals()
    with ready_runtime() as runtime:
        if processes is not None:
            settings = runtime.settings.model_copy(update={"worker_processes": processes})
            runtime = replace(runtime, settings=settings)
        chosen = {name.strip() for name in queues.split(",")} if queues else None
        log.info("takes runs of %s", queues or "all queues")
        with running(runtime):
            Worker(runtime, queues=chosen).serve(stop)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the console listens.")
@click.option(
    "--port",
    default=8000,
    show_default="$PORT or 8000",
    envvar="PORT",
    type=click.IntRange(1, 65535),
    help="Its port.",
)
@click.option(
    "--web-threads",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Requests that it answers at a time.",
)
def up(host: str, port: int, web_threads: int) -> None:
    """Console, loop and worker in one process tree, until stopped.

    For one container or one machine. If one of the three ends, all end, so that the host's
    supervisor can start them again together.
    """
    from tick.notify.dispatcher import NotificationDispatcher

    log_to_stderr()
    with ready_runtime() as runtime:
        NotificationDispatcher(runtime).check()
        # Once, before there are three processes that would each begin with it.
        ensure_synced(runtime, runtime.now())
        # The worker has its drain, then a moment to give back the rest.
        grace = runtime.settings.drain_seconds + 10
    console = ["gunicorn", "--worker-class", "gthread", "--threads", str(web_threads)]
    console += ["--bind", f"{host}:{port}", "--no-control-socket", "webapp.wsgi:app"]
    parts = {"console": console, "loop": ["tick.cli", "loop"], "worker": ["tick.cli", "worker"]}
    stop = _stop_on_signals()
    processes = {name: _start(command) for name, command in parts.items()}
    click.echo(f"Console on http://{host}:{port} - Ctrl-C ends.", err=True)
    ended = None
    while ended is None and not stop.wait(0.5):
        ended = next((name for name, part in processes.items() if part.poll() is not None), None)
    _end(processes, grace)
    if ended is not None:
        raise click.ClickException(f"the {ended} ended by itself; its last lines stand above.")


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches this process only, which then ends its parts in order.
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        # Its lines are for a log: buffered, they would come late, and be lost with a kill.
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )


def _end(processes: dict[str, subprocess.Popen[bytes]], grace_seconds: float) -> None:
    # All are told before one is waited for: they end at the same time, within one grace.
    for process in processes.values():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes.values():
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()


def _stop_on_signals() -> threading.Event:
    from tick.stop import handle_stop_signals

    stop = threading.Event()
    handle_stop_signals(lambda *_signal: stop.set())
    return stop
