"""Each number of the matching jobs, calculated again: by hand, in SQL, or by its definition."""

from collections import Counter
from itertools import groupby
from math import log, sqrt

import pytest

from definitions import matching
from definitions.community.queries import features
from definitions.community.similarity import closeness, jaccard
from definitions.community.text import words


def test_content_features_of_a_few_words_are_those_of_the_textbook(fill):
    texts = {1: "The moon, the moon and the tide", 2: "Moon!", 3: "sail"}
    fill(
        profile=[(1, "Riga", 1990, "")],
        post=[(post, 1, "any", "", text, 0) for post, text in texts.items()],
    )
    matching.content_features()
    moon, tide = 2 * (log(4 / 3) + 1), log(4 / 2) + 1
    length = sqrt(moon**2 + tide**2)
    assert features("post") == {
        1: pytest.approx({"moon": moon / length, "tide": tide / length}, abs=1e-6),
        2: {"moon": 1.0},
        3: {"sail": 1.0},
    }


def test_a_member_is_about_what_their_bio_and_their_posts_are_about(fill):
    fill(
        profile=[(1, "Riga", 1990, "Glaze and clay"), (2, "Riga", 1990, "")],
        post=[(1, 1, "any", "Kiln", "", 0), (2, 2, "any", "Sail", "", 0)],
    )
    matching.content_features()
    about = {member: set(vector) for member, vector in features("member").items()}
    assert about == {1: {"glaze", "clay", "kiln"}, 2: {"sail"}}


def test_each_post_keeps_the_terms_that_weigh_most(query):
    texts = query("SELECT id, title || ' ' || body FROM post")
    bags = {post: Counter(words(text)) for post, text in texts}
    posts_with = Counter(term for bag in bags.values() for term in bag)
    for post, kept in list(features("post").items())[:200]:
        weight = {
            term: count * (log((1 + len(bags)) / (1 + posts_with[term])) + 1)
            for term, count in bags[post].items()
        }
        left_out = [weight[term] for term in weight.keys() - kept.keys()]
        assert max(left_out, default=0) <= min(weight[term] for term in kept) + 1e-9
        for one in kept:
            for other in kept:
                assert kept[one] / kept[other] == pytest.approx(
                    weight[one] / weight[other], rel=1e-4
                )


def test_match_scores_are_the_25_highest_cosines(query):
    for member in range(1, 401, 30):
        by_database = query(
            """
            SELECT theirs.subject_id, sum(mine.weight * theirs.weight) AS cosine
            FROM content_feature AS mine JOIN content_feature AS theirs USING (kind, term)
            WHERE kind = 'member' AND mine.subject_id = ?1 AND theirs.subject_id <> ?1
            GROUP BY theirs.subject_id ORDER BY cosine DESC LIMIT 25
            """,
            member,
        )
        stored = query(
            "SELECT other_id, score FROM match_score WHERE member_id = ? ORDER BY score DESC",
            member,
        )
        assert [score for _, score in stored] == pytest.approx(
            [score for _, score in by_database], abs=2e-6
        )
        assert len(dict(stored).keys() & dict(by_database).keys()) >= 24  # but for ties at the end


def test_compatibility_weighs_words_interests_answers_and_age(fill):
    fill(
        profile=[(1, "Riga", 1990, ""), (2, "Riga", 1995, ""), (3, "Riga", 1950, "")],
        interest=[(1, "film"), (1, "chess"), (2, "film"), (2, "music"), (2, "chess")],
        answer_similarity=[(1, 2, 0.75)],
        match_score=[(2, 1, 0.6), (1, 3, 0.2)],
    )
    matching.compatibility()
    # Two interests of three in common, five years apart; nothing in common, no survey, too far.
    near = 0.4 * 0.6 + 0.3 * 2 / 3 + 0.2 * 0.75 + 0.1 * 0.75
    far = 0.4 * 0.2 + 0.3 * 0 + 0.2 * 0.5 + 0.1 * 0
    assert matching.read("SELECT * FROM compatibility") == [
        (1, 3, pytest.approx(far)),
        (2, 1, pytest.approx(near)),
    ]


def test_compatibility_of_everybody_agrees_with_the_database(query):
    by_database = query(
        """
        WITH shared AS (
            SELECT mine.member_id, theirs.member_id AS other_id, count(*) AS topics
            FROM interest AS mine JOIN interest AS theirs USING (topic) GROUP BY 1, 2
        ), owned AS (SELECT member_id, count(*) AS topics FROM interest GROUP BY 1)
        SELECT score.member_id, score.other_id,
               0.4 * score.score
               + 0.3 * coalesce(1.0 * shared.topics / (a.topics + b.topics - shared.topics), 0)
               + 0.2 * coalesce(s.similarity, 0.5)
               + 0.1 * max(0, 1 - abs(p.birth_year - q.birth_year) / 20.0)
        FROM match_score AS score
        JOIN owned AS a ON a.member_id = score.member_id
        JOIN owned AS b ON b.member_id = score.other_id
        JOIN profile AS p ON p.member_id = score.member_id
        JOIN profile AS q ON q.member_id = score.other_id
        LEFT JOIN shared ON shared.member_id = score.member_id AND shared.other_id = score.other_id
        LEFT JOIN answer_similarity AS s
               ON s.member_id = min(score.member_id, score.other_id)
              AND s.other_id = max(score.member_id, score.other_id)
        ORDER BY 1, 2
        """
    )
    stored = query("SELECT * FROM compatibility ORDER BY 1, 2")
    assert [row[:2] for row in stored] == [row[:2] for row in by_database]
    assert [row[2] for row in stored] == pytest.approx([row[2] for row in by_database], abs=2e-6)


def test_suggestions_are_new_people_in_fair_numbers(query):
    followed = set(query("SELECT * FROM follow"))
    suggested = query("SELECT member_id, other_id FROM match_suggestion")
    assert not followed & set(suggested)
    assert max(Counter(member for member, _ in suggested).values()) == 5
    assert max(Counter(other for _, other in suggested).values()) == 10


def test_no_pair_was_passed_over_for_a_worse_one(query):
    suggested = query("SELECT member_id, other_id, score FROM match_suggestion ORDER BY 1, rank")
    received = {member: list(rows) for member, rows in groupby(suggested, key=lambda row: row[0])}
    by_other = sorted(suggested, key=lambda row: row[1])
    shown = {other: list(rows) for other, rows in groupby(by_other, key=lambda row: row[1])}
    taken = {row[:2] for row in suggested} | set(query("SELECT * FROM follow"))
    for rows in received.values():
        assert rows == sorted(rows, key=lambda row: -row[2])
    for member, other, score in query("SELECT * FROM compatibility"):
        if (member, other) not in taken:
            has_better = is_full(received.get(member, []), 5, score)
            is_elsewhere = is_full(shown.get(other, []), 10, score)
            assert has_better or is_elsewhere


def is_full(rows, size, score):
    return len(rows) == size and all(row[2] >= score for row in rows)


def test_jaccard_and_closeness_at_their_ends():
    assert jaccard(set(), set()) == 0
    assert jaccard({"a"}, {"a"}) == 1
    assert jaccard({"a", "b"}, {"b", "c"}) == pytest.approx(1 / 3)
    assert [closeness(1990, year, within=20) for year in (1990, 2000, 1950)] == [1, 0.5, 0]
