"""Make the sample community: the same one each time, from a fixed seed."""

import math
import os
import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from definitions.community.database import Row, insert
from definitions.community.pictures import draw_pictures
from definitions.community.ranking import DAY
from definitions.community.vocabulary import (
    CITIES,
    FIRST_NAMES,
    LAST_NAMES,
    SENTENCES,
    TITLES,
    TOPICS,
    WHEN,
)

SEED = 1729
MEMBERS = 900
POSTS = 4_000
INTERACTIONS = 20_000
SESSIONS = 1_200
QUESTIONS = 12

END = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
"""The community's last instant."""
START = END - 60 * DAY

Tables = dict[str, list[Any]]
Tastes = dict[int, list[str]]
"""Member id to the topics that the member likes."""


def generate(path: Path, media: Path) -> None:
    """Write the community's database to `path` and its pictures into `media`.

    The database appears under its name when everything is there, never half-made.
    """
    # A made-up community needs no secrets.
    rng = random.Random(SEED)  # noqa: S311 # nosec B311
    path.parent.mkdir(parents=True, exist_ok=True)
    tables = community(rng)
    tables["media"] = [
        (number, rng.randint(1, MEMBERS), name)
        for number, name in enumerate(draw_pictures(rng, media), start=1)
    ]
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    write(unfinished, tables)
    for leftover in ("-wal", "-shm"):
        path.with_name(path.name + leftover).unlink(missing_ok=True)
    unfinished.replace(path)


def write(path: Path, tables: Tables) -> None:
    """A community of these rows at `path`, which must not exist."""
    schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(schema)
        with db:
            for table, rows in tables.items():
                insert(db, table, rows)
        db.execute("PRAGMA journal_mode = WAL")  # kept in the file


def community(rng: random.Random) -> Tables:
    """The rows of each table that the community itself fills, but for its pictures."""
    tastes = {member: rng.sample(list(TOPICS), rng.randint(2, 4)) for member in _ids(MEMBERS)}
    posts = _posts(rng, tastes)
    return {
        "member": [(member, _name(rng), rng.randint(START, END)) for member in _ids(MEMBERS)],
        "profile": [_profile(rng, member, topics) for member, topics in tastes.items()],
        "interest": [(member, topic) for member, topics in tastes.items() for topic in topics],
        "follow": _follows(rng, tastes),
        "post": posts,
        "interaction": _interactions(rng, tastes, posts),
        "session": [
            (session, rng.randint(1, MEMBERS), rng.randint(START, END))
            for session in _ids(SESSIONS)
        ],
        **_quizzes(rng, tastes),
    }


def _ids(count: int) -> range:
    return range(1, count + 1)


def _name(rng: random.Random) -> str:
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def _profile(rng: random.Random, member: int, topics: list[str]) -> Row:
    bio = " ".join(_sentence(rng, rng.choice(SENTENCES), topic) for topic in topics)
    return member, rng.choice(CITIES), rng.randint(1950, 2006), bio


def _sentence(rng: random.Random, pattern: str, topic: str) -> str:
    terms = [_typed(rng, word) for word in rng.sample(TOPICS[topic], 4)]
    return pattern.format(*terms, when=rng.choice(WHEN))


def _typed(rng: random.Random, word: str) -> str:
    """The word as typed: one in eighty has two letters swapped."""
    if rng.random() > 1 / 80:
        return word
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _posts(rng: random.Random, tastes: Tastes) -> list[Row]:
    posts: list[Row] = []
    for post in _ids(POSTS):
        author = rng.randint(1, MEMBERS)
        topic = rng.choice(tastes[author])
        title = _sentence(rng, rng.choice(TITLES), topic)
        body = " ".join(_sentence(rng, pattern, topic) for pattern in rng.sample(SENTENCES, 4))
        posts.append((post, author, topic, title, body, rng.randint(START, END - 3600)))
    return posts


def _follows(rng: random.Random, tastes: Tastes) -> list[tuple[int, int]]:
    pairs = {
        (member, rng.choice(fans))
        for fans in _fans(tastes).values()
        for member in fans
        for _ in range(3)
    }
    return sorted((member, other) for member, other in pairs if member != other)


def _fans(tastes: Tastes) -> dict[str, list[int]]:
    return {topic: [m for m, liked in tastes.items() if topic in liked] for topic in TOPICS}


def _interactions(rng: random.Random, tastes: Tastes, posts: list[Row]) -> list[Row]:
    """Mostly by people who like the topic, mostly on a few posts, mostly soon after the post."""
    fans = _fans(tastes)
    popularity = [rng.paretovariate(2) for _ in posts]
    found = []
    for post, _, topic, *_, posted_at in rng.choices(posts, popularity, k=INTERACTIONS):
        at = posted_at + int(rng.expovariate(1 / (1.5 * DAY)))
        member = rng.choice(fans[topic]) if rng.random() < 0.8 else rng.randint(1, MEMBERS)
        kind = rng.choices(("view", "like", "comment", "share"), (60, 25, 10, 5))[0]
        found.append((at, member, post, kind))
    in_order = enumerate(sorted(row for row in found if row[0] <= END), start=1)
    return [(number, member, post, kind, at) for number, (at, member, post, kind) in in_order]


def _quizzes(rng: random.Random, tastes: Tastes) -> Tables:
    """A knowledge quiz for each of four topics, and a survey of tastes."""
    tables: Tables = {"quiz": [], "question": [], "quiz_answer": []}
    topics = rng.sample(list(TOPICS), 4)
    for quiz, topic in enumerate(topics, start=1):
        tables["quiz"].append((quiz, "knowledge", f"How well do you know {topic}?"))
        _knowledge_quiz(rng, tables, quiz, topic)
    tables["quiz"].append((5, "survey", "What moves you?"))
    _survey(rng, tables, 5, tastes)
    return tables


def _knowledge_quiz(rng: random.Random, tables: Tables, quiz: int, topic: str) -> None:
    """Answers follow the one-parameter logistic model: ability of the member minus difficulty."""
    takers = {member: rng.gauss(0, 1.2) for member in rng.sample(_ids(MEMBERS), MEMBERS // 4)}
    for position in range(QUESTIONS):
        question = len(tables["question"]) + 1
        options, right = _options(rng, topic)
        text = f"Which of these belongs to {topic}: {', '.join(options)}?"
        # The key of each quiz's last question is wrong: item analysis is there to find it.
        key = right if position < QUESTIONS - 1 else (right + 1) % 4
        tables["question"].append((question, quiz, text, key))
        difficulty = rng.uniform(-2, 1.5)
        for member, ability in takers.items():
            knows = rng.random() < 1 / (1 + math.exp(difficulty - ability))
            choice = right if knows else (right + rng.randint(1, 3)) % 4
            tables["quiz_answer"].append((member, question, choice))


def _options(rng: random.Random, topic: str) -> tuple[list[str], int]:
    others = sorted({w for words in TOPICS.values() for w in words} - set(TOPICS[topic]))
    options = rng.sample(others, 4)
    right = rng.randrange(4)
    options[right] = rng.choice(TOPICS[topic])
    return options, right


def _survey(rng: random.Random, tables: Tables, quiz: int, tastes: Tastes) -> None:
    takers = rng.sample(_ids(MEMBERS), MEMBERS * 2 // 5)
    for topic in TOPICS:
        for word in rng.sample(TOPICS[topic], 2):
            question = len(tables["question"]) + 1
            tables["question"].append((question, quiz, f"How much do you like {word}?", None))
            tables["quiz_answer"] += [
                (member, question, rng.randint(2, 4) if topic in tastes[member] else _meh(rng))
                for member in takers
                if rng.random() < 0.9
            ]


def _meh(rng: random.Random) -> int:
    return min(rng.randint(0, 4), rng.randint(0, 4))
