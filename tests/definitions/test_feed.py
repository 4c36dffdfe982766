"""Each number of the feed jobs, calculated again: by hand, or by its definition."""

from collections import Counter, defaultdict
from math import exp, log, sqrt

import pytest

from definitions import feed

WORTH = {"view": 0.1, "like": 1.0, "comment": 2.0, "share": 3.0}
NOW = 100 * 86_400


def hours_ago(hours):
    return NOW - hours * 3600


def post(number, author=1, topic="film", hours=0):
    return number, author, topic, "", "", hours_ago(hours)


def test_trending_adds_up_reactions_that_halve_each_day(fill):
    fill(
        post=[post(1), post(2), post(3)],
        interaction=[
            (1, 1, 1, "share", hours_ago(48)),
            (2, 2, 1, "view", hours_ago(0)),
            (3, 3, 2, "like", hours_ago(24)),
            (4, 3, 2, "comment", hours_ago(24)),
            (5, 3, 3, "share", hours_ago(24 * 7)),
        ],
    )
    feed.trending()
    # 3/4 + 1/10; (1 + 2)/2; a week old counts no more.
    assert feed.read("SELECT * FROM trending_post") == [(1, 2, 1.5), (2, 1, 0.85)]


def test_trending_posts_of_everybody(query):
    now = query("SELECT max(created_at) FROM interaction")[0][0]
    scores = Counter()
    for post_id, kind, at in query("SELECT post_id, kind, created_at FROM interaction"):
        if now - at < 7 * 86_400:
            scores[post_id] += WORTH[kind] * exp(-log(2) * (now - at) / 86_400)
    stored = query("SELECT post_id, score FROM trending_post ORDER BY rank")
    assert [score for _, score in stored] == pytest.approx(
        sorted(scores.values(), reverse=True)[:50], abs=2e-6
    )
    assert dict(stored) == pytest.approx({key: scores[key] for key, _ in stored}, abs=2e-6)


def test_topic_trends_compare_a_week_with_the_four_before(query):
    now = query("SELECT max(created_at) FROM interaction")[0][0]
    topics = dict(query("SELECT id, topic FROM post"))
    weeks = defaultdict(Counter)
    for post_id, at in query("SELECT post_id, created_at FROM interaction"):
        weeks[topics[post_id]][(now - at) // (7 * 86_400)] += 1
    for topic, this_week, usual, surprise in query("SELECT * FROM topic_trend"):
        count = weeks.pop(topic)
        assert this_week == count[0]
        assert usual == sum(count[week] for week in (1, 2, 3, 4)) / 4
        assert surprise == pytest.approx((this_week - usual) / sqrt(usual), abs=1e-6)
    assert not weeks


def test_affinity_compares_each_tie_with_the_strongest(fill):
    fill(
        follow=[(1, 3)],
        post=[post(1, author=2), post(2, author=3), post(3, author=1)],
        interaction=[
            (1, 1, 1, "share", hours_ago(0)),
            (2, 1, 2, "comment", hours_ago(14 * 24)),
            (3, 1, 3, "share", hours_ago(0)),
        ],
    )
    feed.affinity()
    # One's own posts say nothing; a comment of two weeks ago is half of 2, following adds 1.
    assert feed.read("SELECT * FROM affinity") == [
        (1, 2, 1.0),
        (1, 3, pytest.approx(2 / 3, abs=1e-6)),
    ]


def test_affinity_of_everybody(query):
    now = query("SELECT max(created_at) FROM interaction")[0][0]
    authors = dict(query("SELECT id, author_id FROM post"))
    ties = Counter(query("SELECT * FROM follow"))
    for member, post_id, kind, at in query(
        "SELECT member_id, post_id, kind, created_at FROM interaction"
    ):
        if member != authors[post_id]:
            ties[member, authors[post_id]] += WORTH[kind] * exp(-log(2) * (now - at) / 1_209_600)
    strongest = Counter()
    for (member, _), tie in ties.items():
        strongest[member] = max(strongest[member], tie)
    expected = {pair: tie / strongest[pair[0]] for pair, tie in ties.items()}
    stored = {(member, author): tie for member, author, tie in query("SELECT * FROM affinity")}
    assert stored == pytest.approx(expected, abs=2e-6)


def test_feeds_weigh_ties_popularity_taste_and_age(fill):
    fill(
        post=[post(1, author=2, hours=72), post(2, author=3), post(3, author=1), post(4, author=2)],
        interaction=[(1, 1, 4, "view", NOW)],
        affinity=[(1, 2, 0.8)],
        trending_post=[(1, 2, 6.0), (2, 1, 3.0)],
        content_feature=[
            ("post", 1, "moon", 1.0),
            ("member", 1, "moon", 0.6),
            ("member", 1, "tide", 0.8),
        ],
    )
    feed.ranked_feeds()
    # Not their own post, and not the one that they have seen.
    assert feed.read("SELECT * FROM ranked_feed WHERE member_id = 1") == [
        (1, 1, 1, pytest.approx(0.5 * (0.5 * 0.8 + 0.3 * 0.5 + 0.2 * 0.6))),
        (1, 2, 2, pytest.approx(0.3)),
    ]


def test_ranked_feeds_agree_with_the_database(query):
    now = query("SELECT max(created_at) FROM interaction")[0][0]
    for member in range(1, 401, 40):
        parts = query(
            """
            SELECT post.id, created_at,
                   (SELECT strength FROM affinity WHERE member_id = ?1
                    AND affinity.author_id = post.author_id),
                   (SELECT score / (SELECT max(score) FROM trending_post)
                    FROM trending_post WHERE post_id = post.id),
                   (SELECT sum(mine.weight * its.weight)
                    FROM content_feature AS its JOIN content_feature AS mine USING (term)
                    WHERE its.kind = 'post' AND its.subject_id = post.id
                    AND mine.kind = 'member' AND mine.subject_id = ?1)
            FROM post
            WHERE created_at > ?2 AND author_id <> ?1
            AND id NOT IN (SELECT post_id FROM interaction WHERE member_id = ?1)
            """,
            member,
            now - 14 * 86_400,
        )
        scores = {
            key: exp(-log(2) * (now - at) / 259_200)
            * (0.5 * (tie or 0) + 0.3 * (popular or 0) + 0.2 * (taste or 0))
            for key, at, tie, popular, taste in parts
        }
        stored = query(
            "SELECT post_id, score FROM ranked_feed WHERE member_id = ? ORDER BY rank", member
        )
        assert [score for _, score in stored] == pytest.approx(
            sorted(scores.values(), reverse=True)[:20], abs=2e-6
        )
        assert dict(stored) == pytest.approx({key: scores[key] for key, _ in stored}, abs=2e-6)
