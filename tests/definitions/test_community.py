import random
import runpy
import sqlite3
from contextlib import closing

import pytest

from definitions.community import generate
from definitions.community.database import read, replace
from definitions.community.ranking import best, decay


def rows_of(seed):
    return generate.community(random.Random(seed))


def test_the_same_seed_makes_the_same_community(small):
    assert rows_of(generate.SEED) == rows_of(generate.SEED)
    assert rows_of(generate.SEED) != rows_of(generate.SEED + 1)


def test_nothing_happens_before_the_start_after_the_end_or_before_its_post(query):
    first, last = query("SELECT min(created_at), max(created_at) FROM interaction")[0]
    assert generate.START <= first < last <= generate.END
    early = """
        SELECT count(*) FROM interaction JOIN post ON post.id = post_id
        WHERE interaction.created_at < post.created_at
    """
    assert query(early) == [(0,)]


def test_the_command_makes_a_community_once_and_anew_when_asked(
    tmp_path, small, monkeypatch, capsys
):
    path = tmp_path / "folder" / "community.db"
    monkeypatch.setenv("COMMUNITY_DATABASE", str(path))

    def command(*options):
        monkeypatch.setattr("sys.argv", ["community", *options])
        runpy.run_module("definitions.community", run_name="__main__")
        return capsys.readouterr().out

    assert "Made the community" in command()
    assert len(list(path.with_name("media").iterdir())) == 36 + 8 + 2
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        db.execute("DELETE FROM session")
    assert "is there" in command()
    assert sessions(path) == 0
    assert "Made the community" in command("--fresh")
    assert sessions(path) == generate.SESSIONS


def sessions(path):
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT count(*) FROM session").fetchone()[0]


def test_a_replacement_that_fails_leaves_the_old_contents(fill):
    fill(follow=[(1, 2)])
    with pytest.raises(sqlite3.IntegrityError):
        replace(follow=[(3, 4), (5, 5)])
    assert read("SELECT * FROM follow") == [(1, 2)]


def test_a_score_halves_with_each_half_life():
    assert [decay(age, 10) for age in (0, 10, 20, 30)] == [1, 0.5, 0.25, 0.125]


def test_of_equal_scores_the_lower_id_is_better():
    scores = [(5, 0.1), (9, 0.7), (3, 0.70000001), (4, 0.9)]
    assert best(scores, 3) == [(1, 4, 0.9), (2, 3, 0.7), (3, 9, 0.7)]
