-- The community. Instants are Unix seconds, UTC.

CREATE TABLE member (
    id        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL,
    joined_at INTEGER NOT NULL
);
CREATE TABLE profile (
    member_id  INTEGER PRIMARY KEY REFERENCES member,
    city       TEXT    NOT NULL,
    birth_year INTEGER NOT NULL,
    bio        TEXT    NOT NULL
);
CREATE TABLE interest (
    member_id INTEGER NOT NULL REFERENCES member,
    topic     TEXT    NOT NULL,
    PRIMARY KEY (member_id, topic)
) WITHOUT ROWID;
CREATE TABLE follow (
    follower_id INTEGER NOT NULL REFERENCES member,
    followed_id INTEGER NOT NULL REFERENCES member CHECK (followed_id <> follower_id),
    PRIMARY KEY (follower_id, followed_id)
) WITHOUT ROWID;
CREATE TABLE post (
    id         INTEGER PRIMARY KEY,
    author_id  INTEGER NOT NULL REFERENCES member,
    topic      TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE interaction (
    id         INTEGER PRIMARY KEY,
    member_id  INTEGER NOT NULL REFERENCES member,
    post_id    INTEGER NOT NULL REFERENCES post,
    kind       TEXT    NOT NULL CHECK (kind IN ('view', 'like', 'comment', 'share')),
    created_at INTEGER NOT NULL
);
CREATE INDEX ix_interaction_created_at ON interaction (created_at);
CREATE TABLE session (
    id           INTEGER PRIMARY KEY,
    member_id    INTEGER NOT NULL REFERENCES member,
    last_seen_at INTEGER NOT NULL
);
CREATE TABLE media (
    id        INTEGER PRIMARY KEY,
    member_id INTEGER NOT NULL REFERENCES member,
    file      TEXT    NOT NULL UNIQUE -- relative to the media folder
);
CREATE TABLE quiz (
    id    INTEGER PRIMARY KEY,
    kind  TEXT NOT NULL CHECK (kind IN ('knowledge', 'survey')),
    title TEXT NOT NULL
);
CREATE TABLE question (
    id             INTEGER PRIMARY KEY,
    quiz_id        INTEGER NOT NULL REFERENCES quiz,
    text           TEXT    NOT NULL,
    correct_choice INTEGER -- NULL in a survey, where no answer is wrong
);
CREATE TABLE quiz_answer (
    member_id   INTEGER NOT NULL REFERENCES member,
    question_id INTEGER NOT NULL REFERENCES question,
    choice      INTEGER NOT NULL, -- knowledge: option 0 to 3; survey: 0 (not at all) to 4 (very)
    PRIMARY KEY (member_id, question_id)
) WITHOUT ROWID;

-- What the jobs derive from it. Each table is written by one job, whole, in one transaction;
-- ranks start at 1, scores and shares are between 0 and 1 unless said otherwise.

-- content-features
CREATE TABLE content_feature (
    kind       TEXT    NOT NULL CHECK (kind IN ('member', 'post')),
    subject_id INTEGER NOT NULL,
    term       TEXT    NOT NULL,
    weight     REAL    NOT NULL, -- TF-IDF; the vector of a subject has length 1
    PRIMARY KEY (kind, subject_id, term)
) WITHOUT ROWID;
-- match-scores
CREATE TABLE match_score (
    member_id INTEGER NOT NULL REFERENCES member,
    other_id  INTEGER NOT NULL REFERENCES member,
    score     REAL    NOT NULL,
    PRIMARY KEY (member_id, other_id)
) WITHOUT ROWID;
-- compatibility
CREATE TABLE compatibility (
    member_id INTEGER NOT NULL REFERENCES member,
    other_id  INTEGER NOT NULL REFERENCES member,
    score     REAL    NOT NULL,
    PRIMARY KEY (member_id, other_id)
) WITHOUT ROWID;
-- match-suggestions
CREATE TABLE match_suggestion (
    member_id INTEGER NOT NULL REFERENCES member,
    rank      INTEGER NOT NULL,
    other_id  INTEGER NOT NULL REFERENCES member,
    score     REAL    NOT NULL,
    PRIMARY KEY (member_id, rank)
) WITHOUT ROWID;

-- trending
CREATE TABLE trending_post (
    rank    INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES post,
    score   REAL    NOT NULL -- no upper bound
);
-- topic-trends
CREATE TABLE topic_trend (
    topic     TEXT    PRIMARY KEY,
    this_week INTEGER NOT NULL, -- interactions
    usual     REAL    NOT NULL, -- interactions in an average week before
    surprise  REAL    NOT NULL  -- standard deviations above the usual; may be negative
);
-- affinity
CREATE TABLE affinity (
    member_id INTEGER NOT NULL REFERENCES member,
    author_id INTEGER NOT NULL REFERENCES member,
    strength  REAL    NOT NULL, -- 1 for the member's strongest tie
    PRIMARY KEY (member_id, author_id)
) WITHOUT ROWID;
-- ranked-feeds
CREATE TABLE ranked_feed (
    member_id INTEGER NOT NULL REFERENCES member,
    rank      INTEGER NOT NULL,
    post_id   INTEGER NOT NULL REFERENCES post,
    score     REAL    NOT NULL,
    PRIMARY KEY (member_id, rank)
) WITHOUT ROWID;

-- search-index
CREATE VIRTUAL TABLE search_index
USING fts5 (post_id UNINDEXED, title, body, keywords, tokenize = 'porter unicode61');
-- related-posts
CREATE TABLE related_post (
    post_id  INTEGER NOT NULL REFERENCES post,
    rank     INTEGER NOT NULL,
    other_id INTEGER NOT NULL REFERENCES post,
    score    REAL    NOT NULL,
    PRIMARY KEY (post_id, rank)
) WITHOUT ROWID;
-- autocomplete
CREATE TABLE completion (
    prefix TEXT    NOT NULL,
    rank   INTEGER NOT NULL,
    word   TEXT    NOT NULL,
    posts  INTEGER NOT NULL, -- how many posts use the word
    PRIMARY KEY (prefix, rank)
) WITHOUT ROWID;
-- spelling-suggestions
CREATE TABLE spelling (
    word       TEXT PRIMARY KEY,
    suggestion TEXT NOT NULL
) WITHOUT ROWID;

-- thumbnails
CREATE TABLE thumbnail (
    media_id INTEGER PRIMARY KEY REFERENCES media,
    file     TEXT    NOT NULL, -- relative to the media folder
    width    INTEGER NOT NULL,
    height   INTEGER NOT NULL
);
CREATE TABLE unreadable_media (
    media_id INTEGER PRIMARY KEY REFERENCES media,
    reason   TEXT    NOT NULL
);
-- palettes
CREATE TABLE palette (
    media_id INTEGER NOT NULL REFERENCES media,
    rank     INTEGER NOT NULL,
    colour   TEXT    NOT NULL, -- #rrggbb
    share    REAL    NOT NULL, -- of the picture's pixels
    PRIMARY KEY (media_id, rank)
) WITHOUT ROWID;
-- perceptual-hashes
CREATE TABLE media_hash (
    media_id INTEGER PRIMARY KEY REFERENCES media,
    hash     TEXT    NOT NULL -- 64 bits as 16 hexadecimal digits
);
-- duplicate-media
CREATE TABLE duplicate_media (
    media_id    INTEGER PRIMARY KEY REFERENCES media,
    original_id INTEGER NOT NULL REFERENCES media
);

-- quiz-scores
CREATE TABLE quiz_score (
    quiz_id    INTEGER NOT NULL REFERENCES quiz,
    member_id  INTEGER NOT NULL REFERENCES member,
    correct    INTEGER NOT NULL, -- answers
    percentile REAL    NOT NULL,
    PRIMARY KEY (quiz_id, member_id)
) WITHOUT ROWID;
-- quiz-statistics
CREATE TABLE quiz_statistic (
    quiz_id INTEGER PRIMARY KEY REFERENCES quiz,
    takers  INTEGER NOT NULL,
    mean    REAL    NOT NULL, -- correct answers
    spread  REAL    NOT NULL, -- standard deviation of correct answers
    alpha   REAL    NOT NULL  -- Cronbach's; 1 is the most reliable, may be negative
);
CREATE TABLE question_statistic (
    question_id    INTEGER PRIMARY KEY REFERENCES question,
    difficulty     REAL NOT NULL, -- share of correct answers
    discrimination REAL NOT NULL  -- correlation with the rest of the quiz, -1 to 1
);
-- quiz-leaderboards
CREATE TABLE leaderboard (
    quiz_id   INTEGER NOT NULL REFERENCES quiz,
    rank      INTEGER NOT NULL, -- the same for equal scores
    member_id INTEGER NOT NULL REFERENCES member,
    correct   INTEGER NOT NULL, -- answers to the questions that count
    PRIMARY KEY (quiz_id, member_id)
) WITHOUT ROWID;
-- answer-similarity
CREATE TABLE answer_similarity (
    member_id  INTEGER NOT NULL REFERENCES member,
    other_id   INTEGER NOT NULL REFERENCES member CHECK (other_id > member_id),
    similarity REAL    NOT NULL,
    PRIMARY KEY (member_id, other_id)
) WITHOUT ROWID;

-- integrity-checks
CREATE TABLE integrity_report (
    name     TEXT    PRIMARY KEY,
    problems INTEGER NOT NULL
);
