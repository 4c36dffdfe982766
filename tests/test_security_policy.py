"""SECURITY.md answers every requirement, once, and names only tests that there are."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
POLICY = (ROOT / "SECURITY.md").read_text()
ANSWERS = POLICY.partition("## OWASP ASVS")[2]
# OWASP ASVS 5.0.0: how many requirements of levels 1 and 2 each section has, numbered from 1.
SECTIONS = {
    **{"1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2},
    **{"2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1},
    **{"3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2},
    **{"4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4},
    **{"5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3},
    **{"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4},
    **{"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2},
    **{"8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1},
    **{"9.1": 3, "9.2": 4},
    **{"10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3},
    **{"11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1},
    **{"12.1": 3, "12.2": 2, "12.3": 4},
    **{"13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5},
    **{"14.1": 2, "14.2": 4, "14.3": 3},
    **{"15.1": 3, "15.2": 3, "15.3": 7},
    **{"16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3},
    **{"17.1": 1, "17.2": 4, "17.3": 2},
}


def test_every_requirement_of_level_2_is_answered_once() -> None:
    wanted = [f"{place}.{n}" for place, count in SECTIONS.items() for n in range(1, count + 1)]
    assert len(wanted) == 253
    answered = Counter(re.findall(r"\b\d+\.\d+\.\d+\b", ANSWERS))
    assert {number for number, times in answered.items() if times > 1} == set()
    assert answered.keys() == set(wanted)


def test_every_answer_is_one_of_three() -> None:
    verdicts = re.findall(r"^\| [\d., ]+ \| (.+?) \|", ANSWERS, re.MULTILINE)
    assert len(verdicts) > 90
    assert set(verdicts) == {"met", "partly", "platform"}


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", POLICY))
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert named - defined == set()
