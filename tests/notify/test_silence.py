"""Ticking stops: everybody is told, once; it goes on: they are told that, too."""

import json
import threading
from datetime import timedelta

from tests.notify.conftest import Telling
from tests.notify.receivers import HttpReceiver, MailServer
from tick.notify.dispatcher import Courier


def test_a_stopped_scheduler_is_reported_once_a_channel_and_so_is_its_end(
    told_three_ways: Telling, mail: MailServer, hook: HttpReceiver, ping: HttpReceiver
) -> None:
    telling = told_three_ways
    telling.tick_on(10)
    telling.round(after=179)
    assert (mail.mails, hook.requests, ping.requests) == ([], [], [])

    for _ in range(5):
        telling.round(after=11)
    assert mail.subjects == ["The scheduler does not tick"]
    assert [json.loads(request.body)["type"] for request in hook.requests] == ["alert.opened"]
    assert ping.paths == ["/hook/fail"]

    telling.tick_on(1)
    for _ in range(5):
        telling.round(after=11)
    assert mail.subjects[1:] == ["Resolved: The scheduler does not tick"]
    assert json.loads(hook.requests[-1].body)["type"] == "alert.resolved"
    assert ping.paths == ["/hook/fail", "/hook"]
    assert len(hook.requests) == 2


def test_five_processes_that_notice_at_one_moment_tell_it_once(
    told_three_ways: Telling, mail: MailServer, hook: HttpReceiver, ping: HttpReceiver
) -> None:
    telling = told_three_ways
    telling.tick_on(10)
    telling.world.now += timedelta(seconds=181)
    for _ in range(4):
        all_at_once([telling.courier() for _ in range(5)])
        telling.world.now += timedelta(seconds=11)
    assert (len(telling.alerts()), len(mail.mails)) == (1, 1)
    assert (len(hook.requests), ping.paths) == (1, ["/hook/fail"])


def all_at_once(couriers: list[Courier]) -> None:
    """Let them go round at one moment: three consoles and two workers, say."""
    together = threading.Barrier(len(couriers))

    def go(courier: Courier) -> None:
        together.wait()
        courier.go_round()

    threads = [threading.Thread(target=go, args=(courier,)) for courier in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_schedule_that_is_due_and_never_saw_a_tick_is_told(
    telling: Telling, mail: MailServer
) -> None:
    telling.round(after=60 + 180)
    assert telling.open() == []
    telling.round(after=1)
    telling.round(after=11)
    assert mail.subjects == ["The scheduler has never ticked"]
    telling.tick_on(1)
    telling.round()
    assert telling.open() == ["missed"]
