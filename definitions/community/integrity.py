"""What must be true of the community's data, whoever wrote it last."""

import sqlite3

from definitions.community.database import connect, media_folder

OFFENDERS = {
    "vectors whose length is not 1": """
        SELECT subject_id FROM content_feature GROUP BY kind, subject_id
        HAVING abs(sum(weight * weight) - 1) > 0.001""",
    "members matched with themselves": """
        SELECT member_id FROM compatibility WHERE member_id = other_id""",
    "scores outside 0 to 1": """
        SELECT score FROM (SELECT score FROM match_score UNION ALL SELECT score FROM compatibility
                           UNION ALL SELECT score FROM related_post)
        WHERE score NOT BETWEEN 0 AND 1.0001""",
    "own posts in a feed": """
        SELECT member_id FROM ranked_feed JOIN post ON post.id = post_id
        WHERE author_id = member_id""",
    "posts twice in a feed": """
        SELECT member_id FROM ranked_feed GROUP BY member_id, post_id HAVING count(*) > 1""",
    "feeds with a gap in their ranks": """
        SELECT member_id FROM ranked_feed GROUP BY member_id HAVING max(rank) <> count(*)""",
    "found posts that do not exist": """
        SELECT post_id FROM search_index WHERE post_id NOT IN (SELECT id FROM post)""",
    "pictures both shown and unreadable": """
        SELECT media_id FROM thumbnail JOIN unreadable_media USING (media_id)""",
    "palettes that add up to more than the picture": """
        SELECT media_id FROM palette GROUP BY media_id HAVING sum(share) > 1.0001""",
    "scores of more answers than the quiz has questions": """
        SELECT member_id FROM quiz_score
        WHERE correct > (SELECT count(*) FROM question WHERE quiz_id = quiz_score.quiz_id)""",
}
"""What is wrong, and the query that finds it."""


def count_problems() -> dict[str, int]:
    """Each check with how much it found; all of it on one state of the data."""
    with connect() as db:
        db.execute("BEGIN")
        problems = {
            "damaged pages": sum(row != ("ok",) for row in db.execute("PRAGMA integrity_check")),
            "references to nothing": len(db.execute("PRAGMA foreign_key_check").fetchall()),
            "files that are not there": _missing_files(db),
        }
        for name, sql in OFFENDERS.items():
            problems[name] = len(db.execute(sql).fetchall())
    return problems


def _missing_files(db: sqlite3.Connection) -> int:
    files = db.execute("SELECT file FROM media UNION ALL SELECT file FROM thumbnail")
    return sum(not (media_folder() / file).is_file() for (file,) in files)
