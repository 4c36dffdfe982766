"""Splits mail URLs, so that each recipient is a channel. Pure.

A failed delivery is sent again to the whole URL: with several recipients, one address that a mail
server refuses would make all others get the same mail for a day.
"""

import re
from urllib.parse import urlsplit

_MAIL = ("mailto", "mailtos")
# As they stand in a URL: nothing is decoded, so that nothing has to be encoded again.
_BETWEEN = re.compile(r"[,;]|%2c|%3b|%20", re.IGNORECASE)
_ADDRESS = re.compile(r"[^@<>\"]+(@|%40)[^@<>\"%+]+", re.IGNORECASE)


def each_recipient(url: str) -> list[str]:
    """Return the Apprise URL, or one for each address in the path or the `to` of a mail URL.

    An address with a name beside it, or written in another unusual way, leaves the URL whole.
    """
    parts = urlsplit(url)
    if parts.scheme not in _MAIL:
        return [url]
    options = [option for option in parts.query.split("&") if option]
    named = [*parts.path.split("/"), *(value for name, value in _pairs(options) if name == "to")]
    people = list(dict.fromkeys(one for text in named for one in _BETWEEN.split(text) if one))
    if len(people) < 2 or not all(map(_ADDRESS.fullmatch, people)):
        return [url]
    others = [
        option for option, (name, _) in zip(options, _pairs(options), strict=True) if name != "to"
    ]
    return [
        parts._replace(path="", query="&".join([*others, f"to={person}"])).geturl()
        for person in people
    ]


def _pairs(options: list[str]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, _, value in (each.partition("=") for each in options)]
