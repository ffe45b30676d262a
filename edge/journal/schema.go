package journal

const schemaVersion = 1

// Chains are referred to by ordinal inside the file, in the order in which they were started; the last one is
// the one that is written to. pruned_* is the link before the first record that is still held. mark says when
// a receipt had covered what, thinned out, so that Keep counts from the receipt and not from the record.
const schema = `
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT;
CREATE TABLE chain (
	ordinal          INTEGER PRIMARY KEY,
	id               BLOB NOT NULL UNIQUE,
	predecessor      BLOB,
	cause            TEXT NOT NULL,
	started          INTEGER NOT NULL,
	head_seq         INTEGER NOT NULL,
	head_digest      BLOB NOT NULL,
	receipted_seq    INTEGER NOT NULL DEFAULT 0,
	receipted_digest BLOB NOT NULL,
	receipted_epoch  INTEGER NOT NULL DEFAULT 0,
	pruned_seq       INTEGER NOT NULL DEFAULT 0,
	pruned_digest    BLOB NOT NULL
) STRICT;
CREATE TABLE record (
	id     INTEGER PRIMARY KEY,
	chain  INTEGER NOT NULL REFERENCES chain(ordinal),
	seq    INTEGER NOT NULL,
	digest BLOB NOT NULL,
	prev   BLOB NOT NULL,
	kind   TEXT NOT NULL,
	lane   INTEGER NOT NULL,
	time   INTEGER NOT NULL,
	urgent INTEGER NOT NULL,
	raw    BLOB NOT NULL,
	UNIQUE (chain, seq)
) STRICT;
CREATE INDEX record_urgent ON record (chain, seq) WHERE urgent = 1;
CREATE TABLE cursor (
	device TEXT PRIMARY KEY,
	boot   INTEGER NOT NULL,
	seq    INTEGER NOT NULL,
	time   INTEGER NOT NULL
) STRICT;
CREATE TABLE mark (
	chain INTEGER NOT NULL REFERENCES chain(ordinal),
	seq   INTEGER NOT NULL,
	time  INTEGER NOT NULL,
	PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE picture (
	digest   BLOB PRIMARY KEY,
	size     INTEGER NOT NULL,
	added    INTEGER NOT NULL,
	uploaded INTEGER NOT NULL DEFAULT 0,
	refused  TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX picture_waiting ON picture (added) WHERE uploaded = 0 AND refused = '';
`
