-- What only a later build can read, and which run of a site's daemon was heard of last.

-- Records of a kind or format that the build which reviewed them did not know: kept, and read once it does.
CREATE TABLE opaque (
	intake BIGINT PRIMARY KEY,
	site   TEXT COLLATE "C" NOT NULL,
	kind   TEXT COLLATE "C" NOT NULL,
	format BIGINT NOT NULL
);
CREATE INDEX opaque_site ON opaque (site);

-- boot names the run of the site's daemon and former the run before it; connection counts its connections; clock is
-- the site's.
ALTER TABLE status ADD COLUMN boot TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE status ADD COLUMN former TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE status ADD COLUMN connection BIGINT NOT NULL DEFAULT 0;
ALTER TABLE status ADD COLUMN clock BIGINT NOT NULL DEFAULT 0;
