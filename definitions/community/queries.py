"""What more than one job reads."""

from collections import defaultdict
from typing import Literal

from definitions.community.database import read
from definitions.community.similarity import Vector
from definitions.community.text import words


def newest_activity() -> int:
    """The instant of the newest interaction, in Unix seconds.

    Jobs that weigh by age take it for "now": the same data gives the same result whenever they run.
    """
    newest: int = read("SELECT coalesce(max(created_at), 0) FROM interaction")[0][0]
    return newest


def post_words() -> dict[int, list[str]]:
    """Post id to the words of its title and body."""
    rows = read("SELECT id, title || ' ' || body FROM post ORDER BY id")
    return {post: words(text) for post, text in rows}


def features(kind: Literal["member", "post"]) -> dict[int, Vector]:
    """Id to the vector that content-features stored for it; empty before its first run."""
    vectors: dict[int, Vector] = defaultdict(dict)
    sql = "SELECT subject_id, term, weight FROM content_feature WHERE kind = ?"
    for subject, term, weight in read(sql, kind):
        vectors[subject][term] = weight
    return dict(vectors)
