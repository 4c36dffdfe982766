"""Mail to several people: what one address refuses is sent again to that address alone."""

from datetime import timedelta

import apprise
import pytest
from apprise.plugins.email import NotifyEmail
from pydantic import SecretStr

from tests.notify.conftest import Alerting
from tests.notify.receivers import MailServer
from tick.notify.channels import each_recipient

SERVER = "mailto://me:secret@mail.example:2525"
SEVERAL = {
    f"{SERVER}?to=a@x.example,b@y.example": ["a@x.example", "b@y.example"],
    f"{SERVER}?from=t@x.example&to=a@x.example%2C%20b@y.example&name=Tick": [
        "a@x.example",
        "b@y.example",
    ],
    f"mailtos{SERVER.removeprefix('mailto')}/a@x.example/b@y.example?to=a@x.example;c@z.example": [
        "a@x.example",
        "b@y.example",
        "c@z.example",
    ],
    "mailto://me:secret@x.example/a%40x.example/b@y.example": ["a@x.example", "b@y.example"],
}
WHOLE = [
    SERVER,
    f"{SERVER}?to=a@x.example",
    f"{SERVER}/a@x.example",
    f"{SERVER}?to=Ada%20Byron%20<a@x.example>,b@y.example",
    f"{SERVER}?to=not-an-address,b@y.example",
    "slack://TokenA/TokenB/TokenC/#one/#two",
    "tgram://123456789:abcdefg_hijklmnop/chat1/chat2",
]


def made_of(url: str) -> NotifyEmail:
    """What Apprise makes of a mail URL."""
    made = apprise.Apprise.instantiate(url)
    assert isinstance(made, NotifyEmail)
    return made


@pytest.mark.parametrize(("url", "people"), SEVERAL.items())
def test_a_mail_url_is_split_into_one_url_an_address(url: str, people: list[str]) -> None:
    whole, parts = made_of(url), [made_of(each) for each in each_recipient(url)]
    assert [part.targets for part in parts] == [[(False, person)] for person in people]
    for part in parts:
        for name in ("smtp_host", "port", "user", "password", "from_addr", "secure_mode"):
            assert getattr(part, name) == getattr(whole, name)


@pytest.mark.parametrize("url", WHOLE)
def test_any_other_url_stays_as_it_is(url: str) -> None:
    assert each_recipient(url) == [url]


def test_a_refusing_mail_address_makes_no_duplicate_for_others(
    alerting: Alerting, mail: MailServer
) -> None:
    both = mail.url.replace("to=ops@b.example", "to=gone@b.example,ops@b.example")
    alerting.settings = alerting.settings.model_copy(update={"alert_urls": SecretStr(both)})
    mail.refuses = {"gone@b.example": "550 5.1.1 no such mailbox"}
    alerting.world.tick(alerting.world.now + timedelta(hours=30))
    alerting.run_until_sent()
    for _ in range(3):
        alerting.run_once(after=2000)
    assert recipients(mail) == ["ops@b.example"]
    mail.refuses = {}
    alerting.run_once(after=2000)
    assert recipients(mail) == ["ops@b.example", "gone@b.example"]


def recipients(mail: MailServer) -> list[str]:
    """Who has heard of what was missed."""
    return [str(each["To"]) for each in mail.mails if "missed" in str(each["Subject"])]
