-- Keys of sites that were enrolled, and those of the configuration that have ended. ended is 0 while a key holds;
-- what it signed of end_chain up to end_seq is believed for ever.
CREATE TABLE site_key (
	site      TEXT COLLATE "C" NOT NULL,
	id        TEXT COLLATE "C" NOT NULL,
	der       BYTEA NOT NULL,
	how       TEXT COLLATE "C" NOT NULL,
	login     TEXT COLLATE "C" NOT NULL,
	since     BIGINT NOT NULL,
	chain     BYTEA NOT NULL,
	seq       BIGINT NOT NULL,
	ended     BIGINT NOT NULL,
	end_chain BYTEA NOT NULL,
	end_seq   BIGINT NOT NULL,
	PRIMARY KEY (site, id)
);

-- One-time codes by which a site may enrol a key: their digests. lost says that all keys before end with it.
CREATE TABLE enrolment_code (
	site    TEXT COLLATE "C" PRIMARY KEY,
	code    BYTEA NOT NULL,
	expires BIGINT NOT NULL,
	tries   BIGINT NOT NULL,
	lost    BIGINT NOT NULL,
	login   TEXT COLLATE "C" NOT NULL
);
