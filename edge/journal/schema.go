package journal

const schemaVersion = 3

// Chains are referred to by ordinal inside the file, in the order in which they were started; the last one is
// the one that is written to. A record's id is its chain's ordinal above seqBits and its sequence below, so that
// records lie in the order in which they were written and an append touches one end of one tree.
//
// A record's row carries the device cursor that moves with it: device, boot, message. So most appends are one
// row and nothing else. head_* and the table cursor are folded: they say how far the journal was at the last fold,
// what came after is read from the rows. A head that its records do not reach shows that rows are missing.
//
// A picture's found says that it shows a vehicle that exceeded a limit; rowid is the order in which pictures came.
//
// pruned_* is the link before the first record that is still held. mark says when a receipt had covered what,
// thinned out, so that Keep counts from the receipt and not from the record.
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
	digest BLOB NOT NULL,
	kind   TEXT NOT NULL,
	lane   INTEGER NOT NULL,
	time   INTEGER NOT NULL,
	urgent INTEGER NOT NULL,
	device TEXT,
	boot   INTEGER,
	seq    INTEGER,
	raw    BLOB NOT NULL
) STRICT;
CREATE INDEX record_urgent ON record (id) WHERE urgent = 1;
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
	refused  TEXT NOT NULL DEFAULT '',
	found    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX picture_waiting ON picture (added) WHERE uploaded = 0 AND refused = '';
` + knownTable

// known has the names that controllers gave to the records that are accounted for; id is the order in which they came.
const knownTable = `
CREATE TABLE known (
	id     INTEGER PRIMARY KEY,
	device TEXT NOT NULL,
	key    TEXT NOT NULL,
	UNIQUE (device, key)
) STRICT;
`

// fromVersion1 turns a journal of schema version 1 into one of version 2. Its heads and cursors were written with
// every record, so they are folds as they stand.
const fromVersion1 = `
ALTER TABLE record RENAME TO record_1;
DROP INDEX record_urgent;
CREATE TABLE record (
	id     INTEGER PRIMARY KEY,
	digest BLOB NOT NULL,
	kind   TEXT NOT NULL,
	lane   INTEGER NOT NULL,
	time   INTEGER NOT NULL,
	urgent INTEGER NOT NULL,
	device TEXT,
	boot   INTEGER,
	seq    INTEGER,
	raw    BLOB NOT NULL
) STRICT;
INSERT INTO record (id, digest, kind, lane, time, urgent, raw)
	SELECT (chain << 40) | seq, digest, kind, lane, time, urgent, raw FROM record_1 ORDER BY chain, seq;
DROP TABLE record_1;
CREATE INDEX record_urgent ON record (id) WHERE urgent = 1;
ALTER TABLE picture ADD COLUMN found INTEGER NOT NULL DEFAULT 0;
`

// seqBits is how many bits of a record's id are its sequence: a chain may have a trillion records, a journal
// eight million chains.
const seqBits = 40

// rowID is the id of a record's row.
func rowID(ordinal int64, seq uint64) int64 { return ordinal<<seqBits | int64(seq) }

// seqOf is the sequence of the record in a row.
func seqOf(id int64) uint64 { return uint64(id & (1<<seqBits - 1)) }
