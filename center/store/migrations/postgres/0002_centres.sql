-- Which centre works which slot, until when. holder is '' for a slot that nobody holds.
CREATE TABLE lease (
	slot   BIGINT PRIMARY KEY,
	holder TEXT COLLATE "C" NOT NULL,
	until  BIGINT NOT NULL
);

-- The centres that ask for slots, and until when each counts as there.
CREATE TABLE holder (
	name  TEXT COLLATE "C" PRIMARY KEY,
	until BIGINT NOT NULL
);

-- Months of intake whose bytes retention has removed: how many records it took away whole, of how many it
-- took the bytes and left the line, and when.
CREATE TABLE retention (
	month   BIGINT PRIMARY KEY,
	removed BIGINT NOT NULL,
	emptied BIGINT NOT NULL,
	at      BIGINT NOT NULL
);
