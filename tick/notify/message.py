"""One message for people, out of one alert or many. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tick.notify.notifications import OPENED, RESOLVED, AlertText, Parcel, link_of

_NAMED = 3
_TOLD_IN_FULL = 10
_RULE = "\n\n---\n\n"


@dataclass(frozen=True)
class Message:
    """What a person reads; `tone` is one of Apprise's kinds."""

    title: str
    body: str
    tone: str


def compose(parcels: Sequence[Parcel], public_url: str) -> Message:
    """The message of all these parcels: what is wrong first, then what is well again."""
    opened = [p.alert for p in parcels if p.alert and p.event != RESOLVED]
    resolved = [p.alert for p in parcels if p.alert and p.event == RESOLVED]
    is_test = all(parcel.event not in (OPENED, RESOLVED) for parcel in parcels)
    if len(parcels) == 1:
        title = opened[0].title if opened else f"Resolved: {resolved[0].title}"
    else:
        title = _digest(opened, resolved)
    tone = "info" if is_test else "failure" if opened else "success"
    sections = [*_sections(opened, public_url), *_sections(resolved, public_url, resolved=True)]
    return Message(title, _RULE.join(sections), tone)


def _digest(opened: Sequence[AlertText], resolved: Sequence[AlertText]) -> str:
    counted = [
        f"{len(group)} {word}"
        for group, word in (
            (opened, "alerts" if len(opened) > 1 else "alert"),
            (resolved, "resolved"),
        )
        if group
    ]
    names = [alert.title for alert in (*opened, *resolved)]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(counted)}: {'; '.join(names[:_NAMED])}{more}"


def _sections(
    alerts: Sequence[AlertText], public_url: str, *, resolved: bool = False
) -> Iterator[str]:
    """Each alert by itself; beyond some, their titles only."""
    for alert in alerts[:_TOLD_IN_FULL]:
        head = f"Resolved: {alert.title}" if resolved else alert.title
        said = (alert.resolution or "") if resolved else alert.message
        yield "\n\n".join(part for part in (head, said, link_of(alert, public_url)) if part)
    if rest := alerts[_TOLD_IN_FULL:]:
        yield "\n".join([f"{len(rest)} more:", *(f"- {alert.title}" for alert in rest)])
