"""A job's output is foreign: colours come through, and nothing else."""

import re
import time

import pytest

from webapp.drawing.log_text import log_html, plain


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("plain", "plain"),
        ("a <b> & 'c'", "a &lt;b&gt; &amp; &#39;c&#39;"),
        ("\x1b[31mred\x1b[0m & <i>", '<span class="ansi31">red</span> &amp; &lt;i&gt;'),
        ("\x1b[1;92mbold", '<span class="ansi1 ansi92">bold</span>'),
        ("\x1b[38;5;200mpink\x1b[0m", "pink"),
        ("\x1b[38;2;1;31;3mpink\x1b[0m", "pink"),
        ("10 %\r20 %\r30 %", "30 %"),
        ("windows\r\nlines\r", "windows\nlines"),
        ("\x07bell \x1b[2Jcleared \x1b[10;20Hmoved", "bell cleared moved"),
        ("\x1b]0;a title\x07shown", "shown"),
        ("cut \x1b", "cut "),
        ("cut \x1b[3", "cut [3"),
    ],
)
def test_colours_come_through_and_other_controls_do_not(printed: str, shown: str) -> None:
    assert log_html(printed) == shown


HOSTILE = [
    "<script>alert(1)</script>",
    "\x1b[31m<script>alert(1)</script>",
    '\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07 "',
    '\x1b]8;;x" onmouseover="alert(1)\x1b\\click',
    '\x1b[31"onmouseover=alert(1)m',
    "\x1b[31;<img src=x onerror=alert(1)>m",
    "\x9b31m\x9d8;;javascript:1\x9c",
    "\x1bP<script>\x1b\\after",
    "\x1b\x1b[31m<b>\x1b[\x1b[0m",
    "\x1b[" + "9" * 60 + "m<b>",
    "\x1b[38;2m\x1b[48;5m\x1b[38m<b>",
]


@pytest.mark.parametrize("printed", HOSTILE)
def test_no_markup_of_a_job_reaches_the_page(printed: str) -> None:
    html = log_html(printed, "b")
    tags = re.findall(r"<[^>]*>", html)
    assert all(re.fullmatch(r'</span>|<span class="ansi[\d ansi]*">|</?mark>', tag) for tag in tags)
    assert "\x1b" not in html
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", plain(printed))


def test_a_flood_of_escapes_takes_no_time() -> None:
    started = time.perf_counter()
    for piece in ("\x1b]", "\x1b[", "\x1b[31m", "\x1b[38;5;", "\r", "\x1b["):
        log_html(piece * 20_000)
    assert time.perf_counter() - started < 5


def test_what_is_searched_for_is_marked() -> None:
    assert log_html("Read & read", "read") == "<mark>Read</mark> &amp; <mark>read</mark>"
    assert log_html("1 < 2", "<") == "1 <mark>&lt;</mark> 2"
