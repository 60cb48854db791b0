"""The tables of the journal, as numbered migrations.

A migration that was ever released is never edited; a change is the next number. Each
runs in one transaction that also writes its number into `meta`.

Read by: migrations (runs them), opening (which numbers this engine knows).
"""

from dataclasses import dataclass
from typing import Final

APPLICATION_ID: Final = 0x52554E42  # "RUNB" in the file's header: the file is ours

_TABLES: Final = """
CREATE TABLE runs (
  run TEXT PRIMARY KEY,
  runbook TEXT NOT NULL,
  state TEXT NOT NULL,
  open INTEGER NOT NULL,
  started_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  summary BLOB NOT NULL,
  summary_hash TEXT NOT NULL,
  head_seq INTEGER NOT NULL,
  head_hash TEXT NOT NULL
) STRICT;
CREATE INDEX runs_newest ON runs (started_at DESC, run DESC);
CREATE INDEX runs_open ON runs (started_at DESC, run DESC) WHERE open = 1;

CREATE TABLE entries (
  run TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  body BLOB NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT;
CREATE TRIGGER entries_keep_their_text BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;

CREATE TABLE revisions (
  revision TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL,
  body BLOB NOT NULL,
  created REAL NOT NULL,
  sent REAL
) STRICT;
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent IS NULL;

CREATE TABLE locks (path TEXT PRIMARY KEY, run TEXT NOT NULL) STRICT;
CREATE INDEX locks_of_run ON locks (run);

CREATE TABLE secrets (
  run TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, name)
) STRICT;

CREATE TABLE mail (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL,
  body BLOB NOT NULL,
  delivered INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX mail_waiting ON mail (id) WHERE delivered = 0;
"""

_ALERTS: Final = """
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  source TEXT NOT NULL,
  digest BLOB NOT NULL,
  same_as INTEGER,
  body BLOB,
  alerts INTEGER NOT NULL,
  decided INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX deliveries_undecided ON deliveries (id) WHERE decided = 0;
CREATE INDEX deliveries_by_digest ON deliveries (digest) WHERE same_as IS NULL;

CREATE TABLE decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  outcome TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  alertname TEXT NOT NULL,
  run TEXT NOT NULL,
  delivery INTEGER NOT NULL,
  body BLOB NOT NULL,
  carried INTEGER NOT NULL
) STRICT;
CREATE INDEX decisions_by_alert ON decisions (fingerprint, id);
CREATE INDEX decisions_by_name ON decisions (alertname, id);
CREATE INDEX decisions_by_delivery ON decisions (delivery);
CREATE INDEX decisions_by_run ON decisions (run) WHERE run <> '';
CREATE INDEX decisions_by_time ON decisions (at);
CREATE INDEX decisions_unmatched ON decisions (id) WHERE outcome = 'no_runbook';
CREATE INDEX decisions_left ON decisions (id) WHERE carried = 0;
"""

_RECORDS: Final = """
CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  body BLOB NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER records_keep_their_text BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
CREATE TRIGGER records_stay BEFORE DELETE ON records
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
"""


_ENGINES: Final = """
CREATE TABLE engines (
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  role TEXT NOT NULL,
  owner TEXT NOT NULL,
  beat INTEGER NOT NULL DEFAULT 0,
  over INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE run_owners (run TEXT PRIMARY KEY, token INTEGER NOT NULL) STRICT;
CREATE INDEX run_owners_of_engine ON run_owners (token);
"""


_RETENTION: Final = """
CREATE TABLE removed_runs (
  run TEXT PRIMARY KEY,
  runbook TEXT NOT NULL,
  head_hash TEXT NOT NULL,
  entries INTEGER NOT NULL,
  ended_at REAL NOT NULL,
  removed_at REAL NOT NULL
) STRICT;
CREATE TRIGGER removed_runs_keep_their_text BEFORE UPDATE ON removed_runs
BEGIN SELECT RAISE(ABORT, 'what was removed stays written down'); END;
CREATE TRIGGER removed_runs_stay BEFORE DELETE ON removed_runs
BEGIN SELECT RAISE(ABORT, 'what was removed stays written down'); END;
DROP TRIGGER entries_stay;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries
WHEN NOT EXISTS (SELECT 1 FROM removed_runs WHERE removed_runs.run = OLD.run)
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
CREATE INDEX runs_ended ON runs (updated_at, run) WHERE open = 0;
CREATE INDEX outbox_of_run ON outbox (run);
CREATE INDEX mail_of_run ON mail (run);
CREATE INDEX deliveries_repeated ON deliveries (same_as) WHERE same_as IS NOT NULL;
"""


_CHAT: Final = """
CREATE TABLE chat (
  provider TEXT NOT NULL,
  run TEXT NOT NULL,
  room TEXT NOT NULL,
  thread TEXT NOT NULL,
  over INTEGER NOT NULL DEFAULT 0,
  body BLOB NOT NULL,
  PRIMARY KEY (provider, run)
) STRICT;
CREATE INDEX chat_places ON chat (provider, room, thread);
CREATE INDEX chat_showing ON chat (provider) WHERE over = 0;
CREATE INDEX chat_of_run ON chat (run);
CREATE TABLE chat_events (id TEXT PRIMARY KEY, at REAL NOT NULL) STRICT;
CREATE INDEX chat_events_by_time ON chat_events (at);
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from the schema before to `number`."""

    number: int
    what: str  # one line for people
    script: str  # SQL, no BEGIN or COMMIT


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(1, "the first tables", _TABLES),
    Migration(2, "alerts, and what was decided about them", _ALERTS),
    Migration(3, "the engine's own timeline", _RECORDS),
    Migration(4, "who drives which run", _ENGINES),
    Migration(5, "what was removed for its age", _RETENTION),
    Migration(6, "what chat shows, and what was heard from it", _CHAT),
)
