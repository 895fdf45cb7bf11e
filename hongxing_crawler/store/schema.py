"""The tables of the state database, as steps from one version to the next.

Types and statements are what SQLite and PostgreSQL share, but for three words that a PostgreSQL
edition replaces: ``BLOB`` (``BYTEA``), ``INTEGER PRIMARY KEY`` (an identity column),
``WITHOUT ROWID`` (nothing). Moments are microseconds since 1970 (UTC), keys are the first 16 bytes
of ``sha256(url)``, states and outcomes are words, so that an operator can read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from hongxing_crawler.store.elsewhere import ELSEWHERE_SQL
from hongxing_crawler.store.old_rows import add_late_fields, tell_changes
from hongxing_crawler.store.outbox import OUTBOX_SQL
from hongxing_crawler.store.repeats import REPEATS_SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


class Migration(NamedTuple):
    """A step to the next version: statements, then what they cannot say, in one transaction."""

    sql: str
    fill: Callable[[sqlite3.Connection], None] | None = None


VERSION_1: Final = """
CREATE TABLE runs (
  no INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,                       -- null while it runs, or after a kill
  exit_code INTEGER,
  reason TEXT NOT NULL DEFAULT '',
  info TEXT NOT NULL DEFAULT '{}',
  counts TEXT NOT NULL DEFAULT '{}',
  exported INTEGER NOT NULL DEFAULT 0    -- its delta is on disk
);

CREATE TABLE urls (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  url TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,                   -- pending | in_flight | done | failed | gone
  priority INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,   -- failed visits in this run
  not_before BIGINT NOT NULL DEFAULT 0,
  found_on BIGINT                        -- urls.id
);
CREATE INDEX urls_pending ON urls (priority DESC, id) WHERE state = 'pending';
CREATE INDEX urls_in_flight ON urls (id) WHERE state = 'in_flight';

CREATE TABLE pages (                     -- what the last visit of a URL found
  url_id INTEGER PRIMARY KEY,
  run_no INTEGER NOT NULL,
  visited_at BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  status INTEGER NOT NULL,
  etag TEXT NOT NULL,
  last_modified TEXT NOT NULL,
  interval_s DOUBLE PRECISION NOT NULL,
  due_at BIGINT NOT NULL,
  gone_count INTEGER NOT NULL,           -- visits in a row that found it gone
  seen INTEGER NOT NULL,                 -- 1 after the first success
  original_id BIGINT                     -- captures.id of the last full capture
);

CREATE TABLE warc_files (
  no INTEGER PRIMARY KEY,
  filename TEXT NOT NULL UNIQUE,
  bytes BIGINT,
  sha256 TEXT NOT NULL DEFAULT '',
  missing INTEGER NOT NULL DEFAULT 0     -- 1: not where it was; nothing may refer to it
);

CREATE TABLE captures (
  id INTEGER PRIMARY KEY,
  run_no INTEGER NOT NULL,
  url_id BIGINT,                         -- the visit it belongs to, null for robots.txt
  url TEXT,                              -- null: the visit's own
  warc_no INTEGER NOT NULL,
  file_offset BIGINT NOT NULL,
  length BIGINT NOT NULL,
  record_id TEXT NOT NULL,               -- without urn:uuid:
  record_type TEXT NOT NULL,
  payload_digest TEXT NOT NULL,
  fetched_at BIGINT NOT NULL,
  status INTEGER NOT NULL,
  mime TEXT NOT NULL,
  extra TEXT                             -- JSON, null when empty
);

CREATE TABLE originals (                 -- the same for addresses that are not in the frontier
  key BLOB PRIMARY KEY,
  capture_id BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE media (
  key BLOB PRIMARY KEY,
  url TEXT NOT NULL,                     -- as on the page
  sha256 TEXT NOT NULL,
  mime TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX media_sha256 ON media (sha256);

CREATE TABLE articles (
  key BLOB PRIMARY KEY,                  -- art_ + hex of it is the article's id
  revision INTEGER NOT NULL,
  content_sha256 TEXT NOT NULL,
  fingerprint TEXT NOT NULL,             -- of all fields that the page decides
  first_seen_at BIGINT,
  last_seen_at BIGINT,
  deleted_at BIGINT,
  published_day TEXT,
  incomplete INTEGER NOT NULL,           -- a file could not be stored
  version_id BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE versions (                  -- one for each run that changed an article
  id INTEGER PRIMARY KEY,
  article_key BLOB NOT NULL,
  run_no INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  op TEXT NOT NULL,                      -- new | changed | deleted
  seen_at BIGINT,
  row BLOB NOT NULL,                     -- the line, zlib
  UNIQUE (article_key, run_no)
);
CREATE INDEX versions_run ON versions (run_no, article_key);
"""

VERSION_2: Final = """
CREATE INDEX captures_url ON captures (url_id);

CREATE TABLE takedowns (                 -- pages that a person removed; see docs/archive.md
  id TEXT PRIMARY KEY,
  event TEXT NOT NULL                    -- JSON, as in the archive
);

CREATE TABLE excluded (                  -- addresses that are never asked for again
  key BLOB PRIMARY KEY,
  url TEXT NOT NULL,
  takedown_id TEXT NOT NULL
) WITHOUT ROWID;
"""

VERSION_5: Final = """
CREATE INDEX urls_rest ON urls (state) WHERE state IN ('failed', 'gone', 'excluded');
CREATE INDEX pages_due ON pages (due_at);
CREATE INDEX articles_deleted ON articles (deleted_at);
CREATE INDEX outbox_proved ON outbox (id) WHERE proof <> '';
"""

MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(VERSION_1),
    Migration(VERSION_2, tell_changes),
    Migration(OUTBOX_SQL),
    Migration(REPEATS_SQL),
    Migration(VERSION_5),  # a look at a home of a million URLs reads indexes alone
    Migration("", add_late_fields),  # videos; the record that a rendered text comes from
    Migration("", add_late_fields),  # video_files
    Migration(ELSEWHERE_SQL),
)
VERSION: Final = len(MIGRATIONS)
