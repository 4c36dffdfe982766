"""Ticking stops: everybody is told, once; it goes on: they are told that, too."""

import json
import threading
from datetime import timedelta

from tests.notify.conftest import Alerting
from tests.notify.receivers import HttpReceiver, MailServer
from tick.notify.dispatcher import NotificationDispatcher


def test_a_stopped_scheduler_is_reported_once_a_channel_and_so_is_its_end(
    all_channels: Alerting, mail: MailServer, hook: HttpReceiver, ping: HttpReceiver
) -> None:
    alerting = all_channels
    alerting.tick_on(10)
    alerting.run_once(after=179)
    assert (mail.mails, hook.requests, ping.requests) == ([], [], [])

    for _ in range(5):
        alerting.run_once(after=11)
    assert mail.subjects == ["The scheduler does not tick"]
    assert [json.loads(request.body)["type"] for request in hook.requests] == ["alert.opened"]
    assert ping.paths == ["/hook/fail"]

    alerting.tick_on(1)
    for _ in range(5):
        alerting.run_once(after=11)
    assert mail.subjects[1:] == ["Resolved: The scheduler does not tick"]
    assert json.loads(hook.requests[-1].body)["type"] == "alert.resolved"
    assert ping.paths == ["/hook/fail", "/hook"]
    assert len(hook.requests) == 2


def test_an_end_waits_for_a_beginning_that_is_still_to_be_told(
    alerting: Alerting, mail: MailServer
) -> None:
    alerting.tick_on(10)
    alerting.run_once(after=181)
    alerting.world.tick(alerting.world.now + timedelta(seconds=1))
    alerting.run_once()
    assert (alerting.open(), mail.mails) == ([], [])
    alerting.run_once(after=11)
    title = "The scheduler does not tick"
    assert mail.subjects == [f"1 alert, 1 resolved: {title}; {title}"]


def test_five_processes_that_notice_at_one_moment_tell_it_once(
    all_channels: Alerting, mail: MailServer, hook: HttpReceiver, ping: HttpReceiver
) -> None:
    alerting = all_channels
    alerting.tick_on(10)
    alerting.world.now += timedelta(seconds=181)
    for _ in range(4):
        all_at_once([alerting.dispatcher() for _ in range(5)])
        alerting.world.now += timedelta(seconds=11)
    assert (len(alerting.alerts()), len(mail.mails)) == (1, 1)
    assert (len(hook.requests), ping.paths) == (1, ["/hook/fail"])


def all_at_once(dispatchers: list[NotificationDispatcher]) -> None:
    """Let them go round at one moment: three consoles and two workers, say."""
    together = threading.Barrier(len(dispatchers))

    def go(dispatcher: NotificationDispatcher) -> None:
        together.wait()
        dispatcher.run_once()

    threads = [threading.Thread(target=go, args=(dispatcher,)) for dispatcher in dispatchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_schedule_that_is_due_and_never_saw_a_tick_is_told(
    alerting: Alerting, mail: MailServer
) -> None:
    alerting.run_once(after=60 + 180)
    assert alerting.open() == []
    alerting.run_once(after=1)
    alerting.run_once(after=11)
    assert mail.subjects == ["The scheduler has never ticked"]
    alerting.tick_on(1)
    alerting.run_once()
    assert alerting.open() == ["missed"]
