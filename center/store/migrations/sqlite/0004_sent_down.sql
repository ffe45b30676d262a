-- What sites are sent to work by, and what they said about it.

-- Rule sets, tables and settings, by their bytes. They never change.
CREATE TABLE parcel (
	digest  BLOB PRIMARY KEY,
	kind    TEXT NOT NULL,
	name    TEXT NOT NULL,
	version TEXT NOT NULL,
	size    INTEGER NOT NULL,
	added   INTEGER NOT NULL,
	login   TEXT NOT NULL,
	bytes   BLOB NOT NULL
) STRICT;
CREATE TRIGGER parcel_no_update BEFORE UPDATE ON parcel BEGIN SELECT RAISE(ABORT, 'what was sent is append only'); END;
CREATE TRIGGER parcel_no_delete BEFORE DELETE ON parcel BEGIN SELECT RAISE(ABORT, 'what was sent is append only'); END;

-- Who is to work by what from when on: one site, or where it is '' all sites of a region.
CREATE TABLE assignment (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	site      TEXT NOT NULL,
	region    TEXT NOT NULL,
	parcel    BLOB NOT NULL REFERENCES parcel (digest),
	withdrawn INTEGER NOT NULL,
	start     INTEGER NOT NULL,
	at        INTEGER NOT NULL,
	login     TEXT NOT NULL
) STRICT;
CREATE TRIGGER assignment_no_update BEFORE UPDATE ON assignment BEGIN SELECT RAISE(ABORT, 'what was sent is append only'); END;
CREATE TRIGGER assignment_no_delete BEFORE DELETE ON assignment BEGIN SELECT RAISE(ABORT, 'what was sent is append only'); END;

-- What each site is wanted to work by: wishes is a JSON list of digests and times. serial rises with each change.
CREATE TABLE manifest (
	site   TEXT PRIMARY KEY,
	serial INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	wishes TEXT NOT NULL
) STRICT;

-- What sites sealed about what they work by; body is the record's, as JSON. It outlives retention.
CREATE TABLE configured (
	intake INTEGER PRIMARY KEY,
	site   TEXT NOT NULL,
	chain  BLOB NOT NULL,
	seq    INTEGER NOT NULL,
	digest BLOB NOT NULL,
	time   INTEGER NOT NULL,
	body   TEXT NOT NULL
) STRICT;
CREATE INDEX configured_site ON configured (site, intake);

INSERT INTO counter (name, value) VALUES ('assignment', 0);
