"""Search: finding posts again, and helping to type."""

from collections import Counter, defaultdict

from definitions.community.database import read, replace
from definitions.community.progress import with_progress
from definitions.community.queries import features, post_words
from definitions.community.ranking import best
from definitions.community.text import heaviest, one_edit_away
from tick import job


@job(group="search", depends_on=("content-features",), timeout=120, retries=2, idempotent=True)
def search_index(keywords: int = 5) -> dict[str, int]:
    """The full-text index of all posts, with the words that say most about each."""
    subjects = features("post")
    posts = read("SELECT id, title, body FROM post ORDER BY id")
    return replace(
        search_index=(
            (post, title, body, " ".join(heaviest(subjects.get(post, {}), keywords)))
            for post, title, body in posts
        )
    )


@job(group="search", depends_on=("content-features",), timeout=120, idempotent=True)
def related_posts(limit: int = 5) -> dict[str, int]:
    """For each post, others about the same things."""
    subjects = features("post")
    posts_with: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for post, subject in subjects.items():
        for term, weight in subject.items():
            posts_with[term].append((post, weight))
    rows = []
    for post, subject in with_progress(subjects.items(), "posts"):
        # The cosine of all pairs, but without visiting those that share no term.
        scores: dict[int, float] = defaultdict(float)
        for term, weight in subject.items():
            for other, other_weight in posts_with[term]:
                scores[other] += weight * other_weight
        scores.pop(post)
        rows += [(post, *entry) for entry in best(scores.items(), limit)]
    return replace(related_post=rows)


@job(group="search", timeout=60, idempotent=True)
def spelling_suggestions(rare: int = 5, common: int = 20) -> dict[str, int]:
    """For words that hardly anybody writes, the common word that is one slip away."""
    posts = _posts_by_word()
    usual = {word for word, count in posts.items() if count >= common}
    suggestions = []
    for word in (word for word, count in posts.items() if count < rare):
        if near := one_edit_away(word) & usual:
            suggestions.append((word, min(near, key=lambda other: (-posts[other], other))))
    return replace(spelling=suggestions)


@job(group="search", depends_on=("spelling-suggestions",), timeout=60, idempotent=True)
def autocomplete(longest_prefix: int = 6, limit: int = 8) -> dict[str, int]:
    """What to offer after the first letters: the most used words, without the misspelt."""
    posts = _posts_by_word()
    misspelt = {word for (word,) in read("SELECT word FROM spelling")}
    words_with: dict[str, list[str]] = defaultdict(list)
    for word in sorted(posts.keys() - misspelt, key=lambda word: (-posts[word], word)):
        for length in range(1, min(len(word), longest_prefix) + 1):
            words_with[word[:length]].append(word)
    return replace(
        completion=(
            (prefix, rank, word, posts[word])
            for prefix, found in words_with.items()
            for rank, word in enumerate(found[:limit], start=1)
        )
    )


def _posts_by_word() -> Counter[str]:
    """In how many posts each word is."""
    return Counter(word for found in post_words().values() for word in set(found))
