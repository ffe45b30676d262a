-- What only a later build can read, and which run of a site's daemon was heard of last.

-- Records of a kind or format that the build which reviewed them did not know: kept, and read once it does.
CREATE TABLE opaque (
	intake INTEGER PRIMARY KEY,
	site   TEXT NOT NULL,
	kind   TEXT NOT NULL,
	format INTEGER NOT NULL
) STRICT;
CREATE INDEX opaque_site ON opaque (site);

-- boot names the run of the site's daemon and former the run before it; connection counts its connections; clock is
-- the site's.
ALTER TABLE status ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE status ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE status ADD COLUMN connection INTEGER NOT NULL DEFAULT 0;
ALTER TABLE status ADD COLUMN clock INTEGER NOT NULL DEFAULT 0;
