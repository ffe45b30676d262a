-- Keys of sites that were enrolled, and those of the configuration that have ended. ended is 0 while a key holds;
-- what it signed of end_chain up to end_seq is believed for ever.
CREATE TABLE site_key (
	site      TEXT NOT NULL,
	id        TEXT NOT NULL,
	der       BLOB NOT NULL,
	how       TEXT NOT NULL,
	login     TEXT NOT NULL,
	since     INTEGER NOT NULL,
	chain     BLOB NOT NULL,
	seq       INTEGER NOT NULL,
	ended     INTEGER NOT NULL,
	end_chain BLOB NOT NULL,
	end_seq   INTEGER NOT NULL,
	PRIMARY KEY (site, id)
) STRICT;

-- One-time codes by which a site may enrol a key: their digests. lost says that all keys before end with it.
CREATE TABLE enrolment_code (
	site    TEXT PRIMARY KEY,
	code    BLOB NOT NULL,
	expires INTEGER NOT NULL,
	tries   INTEGER NOT NULL,
	lost    INTEGER NOT NULL,
	login   TEXT NOT NULL
) STRICT;
