"""What the search jobs wrote, found again the slow way."""

import re
from collections import Counter, defaultdict

import pytest

from definitions import search
from definitions.community.text import COMMON_WORDS, heaviest, one_edit_away


@pytest.fixture
def posts_by_word(query):
    """Every word to how many posts have it."""
    counts = Counter()
    for title, body in query("SELECT title, body FROM post"):
        counts.update(set(re.split("[^a-z]+", f"{title} {body}".lower())) - COMMON_WORDS - {""})
    return counts


@pytest.mark.parametrize("word", ["telescope", "sourdough", "checkmate", "kiln"])
def test_searching_finds_just_the_posts_that_have_the_word(query, word):
    found = query("SELECT post_id FROM search_index WHERE search_index MATCH ?", word)
    texts = query("SELECT id, title || ' ' || body FROM post")
    having = [post for post, text in texts if re.search(rf"\b{word}\b", text, re.IGNORECASE)]
    assert having
    assert sorted(post for (post,) in found) == having


def test_searching_for_the_plural_finds_the_singular(query):
    plural, singular = (
        query("SELECT post_id FROM search_index WHERE search_index MATCH ?", word)
        for word in ("telescopes", "telescope")
    )
    assert plural == singular


def test_the_index_is_sound_and_holds_each_post_with_its_heaviest_words(query):
    query("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
    indexed = dict(query("SELECT post_id, keywords FROM search_index"))
    assert indexed.keys() == {post for (post,) in query("SELECT id FROM post")}
    by_database = "SELECT term FROM content_feature WHERE kind = 'post' AND subject_id = ?"
    for post in range(1, 1600, 50):
        terms = query(f"{by_database} ORDER BY weight DESC, term LIMIT 5", post)
        assert indexed[post].split() == [term for (term,) in terms]


def test_related_posts_have_the_highest_cosines(query):
    for post in range(1, 1600, 50):
        by_database = query(
            """
            SELECT theirs.subject_id, sum(mine.weight * theirs.weight) AS cosine
            FROM content_feature AS mine JOIN content_feature AS theirs USING (kind, term)
            WHERE kind = 'post' AND mine.subject_id = ?1 AND theirs.subject_id <> ?1
            GROUP BY theirs.subject_id
            """,
            post,
        )
        cosines = dict(by_database)
        stored = query(
            "SELECT other_id, score FROM related_post WHERE post_id = ? ORDER BY rank", post
        )
        assert [score for _, score in stored] == pytest.approx(
            sorted(cosines.values(), reverse=True)[:5], abs=2e-6
        )
        assert dict(stored) == pytest.approx({key: cosines[key] for key, _ in stored}, abs=2e-6)


def test_spelling_suggestions_are_the_common_words_at_edit_distance_one(query, posts_by_word):
    common = [word for word, count in posts_by_word.items() if count >= 20]
    expected = {}
    for word, count in posts_by_word.items():
        near = [other for other in common if count < 5 and edit_distance(word, other) == 1]
        if near:
            expected[word] = min(near, key=lambda other: (-posts_by_word[other], other))
    assert dict(query("SELECT word, suggestion FROM spelling")) == expected
    assert len(expected) > 100


def test_a_rare_word_is_corrected_to_the_most_used_of_its_neighbours(fill):
    bodies = ["cart"] * 3 + ["card"] * 4 + ["carx", "zebra"]
    fill(post=[(post, 1, "any", "", body, 0) for post, body in enumerate(bodies, start=1)])
    search.spelling_suggestions(rare=2, common=3)
    assert search.read("SELECT * FROM spelling") == [("carx", "card")]


def edit_distance(one, other):
    """Optimal string alignment by the textbook's table; anything over 1 may come out as 2."""
    if abs(len(one) - len(other)) > 1:
        return 2
    table = [[max(i, j) for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i, a in enumerate(one, start=1):
        for j, b in enumerate(other, start=1):
            steps = [table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a != b)]
            if i > 1 and j > 1 and one[i - 2] == b and other[j - 2] == a:
                steps.append(table[i - 2][j - 2] + 1)
            table[i][j] = min(steps)
    return table[-1][-1]


def test_one_edit_is_a_letter_less_swapped_changed_or_more():
    assert {"at", "act", "bat", "cast"} <= one_edit_away("cat")
    assert not {"cat", "dog", "tac"} & one_edit_away("cat")


def test_completions_are_the_most_used_words_with_the_prefix(query, posts_by_word):
    misspelt = {word for (word,) in query("SELECT word FROM spelling")}
    offered = defaultdict(list)
    for prefix, word, posts in query("SELECT prefix, word, posts FROM completion ORDER BY 1, rank"):
        assert posts == posts_by_word[word]
        offered[prefix].append(word)
    usual = {word: count for word, count in posts_by_word.items() if word not in misspelt}
    assert offered.keys() == {word[:end] for word in usual for end in range(1, 7)}
    for prefix, found in offered.items():
        having = [word for word in usual if word.startswith(prefix)]
        assert found == sorted(having, key=lambda word: (-usual[word], word))[:8]


def test_related_posts_and_keywords_of_three_posts(fill):
    fill(
        post=[(post, 1, "any", f"Post {post}", "", 0) for post in (1, 2, 3)],
        content_feature=[
            ("post", 1, "moon", 0.6),
            ("post", 1, "tide", 0.8),
            ("post", 2, "moon", 1.0),
            ("post", 3, "tide", 1.0),
        ],
    )
    search.related_posts()
    search.search_index(keywords=1)
    assert search.read("SELECT * FROM related_post WHERE post_id = 1") == [
        (1, 1, 3, 0.8),
        (1, 2, 2, 0.6),
    ]
    assert search.read("SELECT post_id, keywords FROM search_index") == [
        (1, "tide"),
        (2, "moon"),
        (3, "tide"),
    ]
    assert heaviest({"b": 0.5, "a": 0.5, "c": 0.7}, 2) == ["c", "a"]
