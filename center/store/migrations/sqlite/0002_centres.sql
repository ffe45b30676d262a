-- Which centre works which slot, until when. holder is '' for a slot that nobody holds.
CREATE TABLE lease (
	slot   INTEGER PRIMARY KEY,
	holder TEXT NOT NULL,
	until  INTEGER NOT NULL
) STRICT;

-- The centres that ask for slots, and until when each counts as there.
CREATE TABLE holder (
	name  TEXT PRIMARY KEY,
	until INTEGER NOT NULL
) STRICT;

-- Months of intake whose bytes retention has removed: how many records it took away whole, of how many it
-- took the bytes and left the line, and when.
CREATE TABLE retention (
	month   INTEGER PRIMARY KEY,
	removed INTEGER NOT NULL,
	emptied INTEGER NOT NULL,
	at      INTEGER NOT NULL
) STRICT;
