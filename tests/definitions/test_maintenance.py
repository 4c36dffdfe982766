import random

import pytest

from definitions import maintenance
from definitions.community import generate
from definitions.community.database import database_path, read, transaction
from definitions.community.integrity import count_problems


def test_sessions_older_than_30_days_are_gone_and_no_other(query, results, small):
    newest = query("SELECT max(created_at) FROM interaction")[0][0]
    before = generate.community(random.Random(generate.SEED))["session"]
    kept = [session for session in before if session[2] >= newest - 30 * 86_400]
    assert query("SELECT * FROM session ORDER BY id") == kept
    assert results["expired-sessions"] == {"deleted": len(before) - len(kept), "left": len(kept)}


def test_the_managers_own_history_is_pruned_by_the_manager(monkeypatch):
    monkeypatch.setattr(maintenance, "prune", lambda keep_days: {"job_run": keep_days})
    assert maintenance.prune_history(keep_days=7) == {"job_run": 7}


def test_a_sound_community_has_no_problems(query, results):
    assert results["integrity-checks"] == {"checks": 13, "problems": 0}
    assert query("SELECT DISTINCT problems FROM integrity_report") == [(0,)]


@pytest.mark.parametrize(
    ("problem", "rows"),
    [
        ("vectors whose length is not 1", {"content_feature": [("post", 1, "moon", 0.5)]}),
        ("members matched with themselves", {"compatibility": [(1, 1, 0.5)]}),
        ("scores outside 0 to 1", {"match_score": [(1, 2, 1.5)]}),
        ("own posts in a feed", {"ranked_feed": [(1, 1, 1, 0.5)]}),
        ("posts twice in a feed", {"ranked_feed": [(2, 1, 1, 0.5), (2, 2, 1, 0.4)]}),
        ("feeds with a gap in their ranks", {"ranked_feed": [(2, 2, 1, 0.5)]}),
        ("found posts that do not exist", {"search_index": [(9, "", "", "")]}),
        ("files that are not there", {"media": [(1, 1, "gone.png")]}),
        (
            "palettes that add up to more than the picture",
            {"palette": [(1, 1, "#000000", 0.7), (1, 2, "#ffffff", 0.7)]},
        ),
        (
            "pictures both shown and unreadable",
            {"thumbnail": [(1, "1.png", 9, 9)], "unreadable_media": [(1, "broken")]},
        ),
        ("scores of more answers than the quiz has questions", {"quiz_score": [(1, 1, 2, 0.5)]}),
    ],
)
def test_a_contradiction_is_found_reported_and_fails_the_job(fill, problem, rows):
    fill(
        post=[(1, 1, "film", "", "", 0)],
        quiz=[(1, "knowledge", "Stars")],
        question=[(1, 1, "First?", 0)],
    )
    (database_path().with_name("media") / "1.png").touch()
    if "media" not in rows:
        fill(media=[(1, 1, "1.png")])
    assert not any(count_problems().values())
    fill(**rows)
    with pytest.raises(ValueError, match=problem):
        maintenance.integrity_checks()
    assert read("SELECT name FROM integrity_report WHERE problems > 0") == [(problem,)]


def test_a_reference_to_nothing_is_found(fill):
    with maintenance.connect() as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("INSERT INTO profile VALUES (77, 'Riga', 1990, '')")
    assert count_problems()["references to nothing"] == 1


def test_optimizing_gives_space_back_and_keeps_every_row(fill):
    fill(post=[(post, 1, "film", "", "x" * 2000, 0) for post in range(1, 501)])
    with transaction() as db:
        db.execute("DELETE FROM post WHERE id > 10")
    sizes = maintenance.optimize_database()
    assert sizes["bytes_after"] < sizes["bytes_before"] / 2
    assert sizes["bytes_after"] == database_path().stat().st_size
    assert len(read("SELECT id FROM post")) == 10
