"""Matching: who might like whom."""

from collections import Counter, defaultdict

from definitions.community.database import read, replace
from definitions.community.progress import with_progress
from definitions.community.queries import features, post_words
from definitions.community.ranking import best
from definitions.community.similarity import closeness, cosine, jaccard
from definitions.community.text import tf_idf, words
from tick import job


@job(group="matching", timeout=120, idempotent=True)
def content_features(terms_of_post: int = 10, terms_of_member: int = 40) -> dict[str, int]:
    """What each post and each member is about, as TF-IDF vectors."""
    posts = post_words()
    members = {member: words(bio) for member, bio in read("SELECT member_id, bio FROM profile")}
    for post, author in read("SELECT id, author_id FROM post ORDER BY id"):
        members[author] += posts[post]
    vectors = {"post": tf_idf(posts, terms_of_post), "member": tf_idf(members, terms_of_member)}
    return replace(
        content_feature=(
            (kind, subject, term, round(weight, 6))
            for kind, subjects in vectors.items()
            for subject, vector in subjects.items()
            for term, weight in vector.items()
        )
    )


@job(group="matching", depends_on=("content-features",), timeout=120, retries=2, idempotent=True)
def match_scores(keep: int = 25) -> dict[str, int]:
    """For each member, the others who write about the most similar things."""
    vectors = features("member")
    rows = []
    for member, vector in with_progress(vectors.items(), "members"):
        likeness = ((other, cosine(vector, vectors[other])) for other in vectors if other != member)
        rows += [(member, other, score) for _, other, score in best(likeness, keep)]
    return replace(match_score=rows)


@job(
    group="matching",
    depends_on=("match-scores", "answer-similarity"),
    tolerates=("answer-similarity",),
    timeout=120,
    idempotent=True,
)
def compatibility() -> dict[str, int]:
    """How well each scored pair fits by words, interests, survey answers and age."""
    interests: dict[int, set[str]] = defaultdict(set)
    for member, topic in read("SELECT member_id, topic FROM interest"):
        interests[member].add(topic)
    born: dict[int, int] = dict(read("SELECT member_id, birth_year FROM profile"))
    agreed: dict[tuple[int, int], float] = {
        (one, two): level for one, two, level in read("SELECT * FROM answer_similarity")
    }

    def fit(member: int, other: int, likeness: float) -> float:
        # Who did not take the survey counts as half agreeing.
        answers = agreed.get((min(member, other), max(member, other)), 0.5)
        shared = jaccard(interests[member], interests[other])
        age = closeness(born[member], born[other], within=20)
        return round(0.4 * likeness + 0.3 * shared + 0.2 * answers + 0.1 * age, 6)

    scored = read("SELECT member_id, other_id, score FROM match_score")
    return replace(compatibility=((one, two, fit(one, two, score)) for one, two, score in scored))


@job(group="matching", depends_on=("compatibility",), timeout=60, idempotent=True)
def match_suggestions(for_each: int = 5, of_each: int = 10) -> dict[str, int]:
    """New people for each member, best first, and nobody suggested to everybody."""
    known = set(read("SELECT follower_id, followed_id FROM follow"))
    received: Counter[int] = Counter()
    shown: Counter[int] = Counter()
    rows = []
    pairs = read("SELECT member_id, other_id, score FROM compatibility ORDER BY score DESC, 1, 2")
    for member, other, score in pairs:
        if (member, other) in known or received[member] == for_each or shown[other] == of_each:
            continue
        received[member] += 1
        shown[other] += 1
        rows.append((member, received[member], other, score))
    return replace(match_suggestion=rows)
