-- What the centre holds. Times are nanoseconds since 1970 UTC, 0 unknown. Digests and chain ids are raw bytes.

-- Counters. epoch: of this store's current opening. intake, event: the last number given, taken in the
-- transaction that writes the row. review: the last intake number reviewed. dropped: quarantined items that
-- had to make room.
CREATE TABLE counter (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, value) VALUES ('epoch', 0), ('intake', 0), ('event', 0), ('review', 0), ('dropped', 0);

-- A chain and its head: the last record of the contiguous, linked prefix. fork_seq is set once two records
-- were seen under one name or a record did not link; from then on the site is told to start a new chain.
CREATE TABLE chain (
	id        INTEGER PRIMARY KEY,
	site      TEXT NOT NULL,
	chain     BLOB NOT NULL,
	seq       INTEGER NOT NULL,
	digest    BLOB NOT NULL,
	last_time INTEGER NOT NULL,
	heard     INTEGER NOT NULL,
	fork_seq  INTEGER NOT NULL,
	fork_held BLOB NOT NULL,
	fork_sent BLOB NOT NULL,
	UNIQUE (site, chain)
) STRICT;

-- The narrow proof of what was ever received. It outlives the records.
CREATE TABLE ledger (
	chain  INTEGER NOT NULL REFERENCES chain (id),
	seq    INTEGER NOT NULL,
	digest BLOB NOT NULL,
	PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;

-- The signature under which records came.
CREATE TABLE segment (
	id       INTEGER PRIMARY KEY,
	chain    INTEGER NOT NULL REFERENCES chain (id),
	key      TEXT NOT NULL,
	jws      TEXT NOT NULL,
	received INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
	intake  INTEGER PRIMARY KEY,
	chain   INTEGER NOT NULL REFERENCES chain (id),
	seq     INTEGER NOT NULL,
	digest  BLOB NOT NULL,
	prev    BLOB NOT NULL,
	kind    TEXT NOT NULL,
	time    INTEGER NOT NULL,
	segment INTEGER NOT NULL REFERENCES segment (id),
	raw     BLOB NOT NULL,
	UNIQUE (chain, seq)
) STRICT;
CREATE INDEX record_gap ON record (time) WHERE kind = 'gap';

-- Records whose name was already taken by another one.
CREATE TABLE fork (
	chain    INTEGER NOT NULL REFERENCES chain (id),
	seq      INTEGER NOT NULL,
	digest   BLOB NOT NULL,
	key      TEXT NOT NULL,
	jws      TEXT NOT NULL,
	raw      BLOB NOT NULL,
	received INTEGER NOT NULL,
	PRIMARY KEY (chain, seq, digest)
) STRICT;

-- Input that was not believed. id rises, so the oldest is the smallest.
CREATE TABLE quarantine (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	site     TEXT NOT NULL,
	digest   BLOB NOT NULL,
	reason   TEXT NOT NULL,
	detail   TEXT NOT NULL,
	received INTEGER NOT NULL,
	size     INTEGER NOT NULL,
	bytes    BLOB NOT NULL,
	UNIQUE (site, digest)
) STRICT;

CREATE TABLE alarm (
	id      INTEGER PRIMARY KEY,
	kind    TEXT NOT NULL,
	site    TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail  TEXT NOT NULL,
	first   INTEGER NOT NULL,
	last    INTEGER NOT NULL,
	count   INTEGER NOT NULL,
	UNIQUE (site, kind, subject)
) STRICT;

CREATE TABLE status (
	site   TEXT PRIMARY KEY,
	online INTEGER NOT NULL,
	at     INTEGER NOT NULL
) STRICT;

-- A reviewed record that carries a verdict. passage is the intake number of the passage that it is, or adds to.
CREATE TABLE account (
	intake     INTEGER PRIMARY KEY REFERENCES record (intake),
	passage    INTEGER NOT NULL REFERENCES record (intake),
	supplement INTEGER NOT NULL,
	passed     INTEGER NOT NULL,
	void       INTEGER NOT NULL,
	rejudged   TEXT NOT NULL,
	rules      BLOB NOT NULL,
	judge      TEXT NOT NULL
) STRICT;
CREATE INDEX account_passage ON account (passage);
CREATE INDEX account_passed ON account (passed, void) WHERE supplement = 0;
CREATE INDEX account_pending ON account (rules, judge, intake) WHERE rejudged = 'pending';

-- Supplements whose passage has not been reviewed yet; ready once it has.
CREATE TABLE waiting (
	intake INTEGER PRIMARY KEY REFERENCES record (intake),
	site   TEXT NOT NULL,
	chain  BLOB NOT NULL,
	seq    INTEGER NOT NULL,
	ready  INTEGER NOT NULL
) STRICT;
CREATE INDEX waiting_for ON waiting (site, chain, seq);
CREATE INDEX waiting_ready ON waiting (intake) WHERE ready = 1;

CREATE TABLE matter (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	passage   INTEGER NOT NULL UNIQUE REFERENCES record (intake),
	lane      INTEGER NOT NULL,
	passed    INTEGER NOT NULL,
	opened    INTEGER NOT NULL,
	plates    TEXT NOT NULL,
	suspicion INTEGER NOT NULL,
	state     TEXT NOT NULL
) STRICT;

CREATE TABLE alert (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	matter          INTEGER NOT NULL REFERENCES matter (id),
	competence      TEXT NOT NULL,
	outcome         TEXT NOT NULL,
	standing        TEXT NOT NULL,
	passed          INTEGER NOT NULL,
	raised          INTEGER NOT NULL,
	acknowledged_at INTEGER NOT NULL,
	acknowledged_by TEXT NOT NULL,
	UNIQUE (matter, competence)
) STRICT;
CREATE INDEX alert_board ON alert (competence, id);
CREATE INDEX alert_passed ON alert (competence, passed, outcome, standing);
CREATE INDEX alert_open ON alert (competence) WHERE acknowledged_at = 0;

CREATE TABLE event (
	id         INTEGER PRIMARY KEY,
	at         INTEGER NOT NULL,
	kind       TEXT NOT NULL,
	competence TEXT NOT NULL,
	alert      INTEGER NOT NULL REFERENCES alert (id),
	matter     INTEGER NOT NULL REFERENCES matter (id)
) STRICT;
CREATE INDEX event_competence ON event (competence, id);

CREATE TABLE officer (
	login      TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	competence TEXT NOT NULL,
	hash       TEXT NOT NULL
) STRICT;

CREATE TABLE session (
	token  TEXT PRIMARY KEY,
	data   BLOB NOT NULL,
	expiry INTEGER NOT NULL
) STRICT;
CREATE INDEX session_expiry ON session (expiry);

-- What people did. Nobody edits it, this program included.
CREATE TABLE trail (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	at      INTEGER NOT NULL,
	login   TEXT NOT NULL,
	action  TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail  TEXT NOT NULL
) STRICT;
CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is append only'); END;
CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is append only'); END;
CREATE TRIGGER trail_no_replace BEFORE INSERT ON trail WHEN EXISTS (SELECT 1 FROM trail WHERE id = NEW.id)
	BEGIN SELECT RAISE(ABORT, 'the audit trail is append only'); END;
