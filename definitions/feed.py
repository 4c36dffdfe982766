"""Feeds: what is worth reading now. "Now" is the community's newest interaction."""

from collections import defaultdict
from math import sqrt

from definitions.community.database import read, replace
from definitions.community.progress import with_progress
from definitions.community.queries import features, newest_activity
from definitions.community.ranking import DAY, HOUR, INTERACTION_WEIGHTS, best, decay
from definitions.community.similarity import cosine
from tick import job


@job(group="feed", timeout=60, retries=1, idempotent=True)
def trending(days: int = 7, half_life_hours: float = 24, limit: int = 50) -> dict[str, int]:
    """The posts that people react to most, recent reactions first."""
    now = newest_activity()
    scores: dict[int, float] = defaultdict(float)
    reactions = "SELECT post_id, kind, created_at FROM interaction WHERE created_at > ? ORDER BY id"
    for post, kind, at in read(reactions, now - days * DAY):
        scores[post] += INTERACTION_WEIGHTS[kind] * decay(now - at, half_life_hours * HOUR)
    return replace(trending_post=best(scores.items(), limit))


@job(group="feed", timeout=60, idempotent=True)
def topic_trends(weeks: int = 4) -> dict[str, int]:
    """Topics with more reactions this week than in the weeks before."""
    counted = read(
        """
        SELECT topic,
               count(*) FILTER (WHERE age < ?2),
               count(*) FILTER (WHERE age >= ?2) / ?3
        FROM (SELECT post.topic, ?1 - interaction.created_at AS age
              FROM interaction JOIN post ON post.id = interaction.post_id)
        WHERE age < ?2 * (1 + ?3)
        GROUP BY topic
        """,
        newest_activity(),
        7 * DAY,
        float(weeks),
    )
    # Counts scatter by about the root of what is expected (Poisson).
    return replace(
        topic_trend=(
            (topic, count, usual, round((count - usual) / sqrt(max(usual, 1)), 6))
            for topic, count, usual in counted
        )
    )


@job(group="feed", timeout=60, idempotent=True)
def affinity(half_life_days: float = 14) -> dict[str, int]:
    """How strongly each member is tied to the authors whom they react to or follow."""
    now = newest_activity()
    ties: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    reactions = """
        SELECT interaction.member_id, author_id, kind, interaction.created_at
        FROM interaction JOIN post ON post.id = post_id
        WHERE interaction.member_id <> author_id ORDER BY interaction.id
    """
    for member, author, kind, at in read(reactions):
        ties[member][author] += INTERACTION_WEIGHTS[kind] * decay(now - at, half_life_days * DAY)
    for member, followed in read("SELECT follower_id, followed_id FROM follow"):
        ties[member][followed] += 1
    return replace(
        affinity=(
            (member, author, round(strength / max(authors.values()), 6))
            for member, authors in ties.items()
            for author, strength in authors.items()
        )
    )


@job(
    group="feed",
    depends_on=("trending", "affinity", "content-features"),
    timeout=300,
    retries=1,
    idempotent=True,
)
def ranked_feeds(days: int = 14, half_life_hours: float = 72, limit: int = 20) -> dict[str, int]:
    """A feed for each member: fresh posts they have not seen, by tie, popularity and taste."""
    now = newest_activity()
    fresh = [
        (post, author, decay(now - at, half_life_hours * HOUR))
        for post, author, at in read(
            "SELECT id, author_id, created_at FROM post WHERE created_at > ?", now - days * DAY
        )
    ]
    ties: dict[tuple[int, int], float] = {
        (member, author): tie for member, author, tie in read("SELECT * FROM affinity")
    }
    popular: dict[int, float] = dict(
        read("SELECT post_id, score / max(score) OVER () FROM trending_post")
    )
    seen = set(read("SELECT member_id, post_id FROM interaction"))
    subjects, tastes = features("post"), features("member")

    def score(member: int, post: int, author: int) -> float:
        taste = cosine(subjects.get(post, {}), tastes.get(member, {}))
        return 0.5 * ties.get((member, author), 0) + 0.3 * popular.get(post, 0) + 0.2 * taste

    rows = []
    members = [member for (member,) in read("SELECT id FROM member")]
    for member in with_progress(members, "feeds"):
        new = (
            (post, freshness * score(member, post, author))
            for post, author, freshness in fresh
            if author != member and (member, post) not in seen
        )
        rows += [(member, *entry) for entry in best(new, limit)]
    return replace(ranked_feed=rows)
