-- What officers do: roles and regions, acts, cases, tokens, and what lists of matters need.

ALTER TABLE officer ADD COLUMN role TEXT NOT NULL DEFAULT 'enforcer';
ALTER TABLE officer ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE officer ADD COLUMN configured INTEGER NOT NULL DEFAULT 1;
ALTER TABLE officer ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE officer ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;

-- The region that each site lies in now; a matter keeps the one of its opening.
CREATE TABLE site_region (
	site   TEXT PRIMARY KEY,
	region TEXT NOT NULL
) STRICT;

ALTER TABLE matter ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE matter ADD COLUMN site TEXT NOT NULL DEFAULT '';
ALTER TABLE matter ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE matter ADD COLUMN gross INTEGER NOT NULL DEFAULT 0;
ALTER TABLE matter ADD COLUMN axles INTEGER NOT NULL DEFAULT 0;
UPDATE matter SET site = coalesce((SELECT c.site FROM record r JOIN chain c ON c.id = r.chain WHERE r.intake = matter.passage), '');
CREATE INDEX matter_region ON matter (region, id);
CREATE INDEX matter_site ON matter (site, id);
CREATE INDEX matter_state ON matter (state, id);
CREATE INDEX matter_passed ON matter (passed, id);

-- The plates of a matter's units, for search.
CREATE TABLE matter_plate (
	plate  TEXT NOT NULL,
	matter INTEGER NOT NULL REFERENCES matter (id),
	PRIMARY KEY (plate, matter)
) STRICT, WITHOUT ROWID;
INSERT INTO matter_plate (plate, matter) SELECT DISTINCT j.value, m.id FROM matter m, json_each(m.plates) j WHERE j.value IS NOT NULL;

ALTER TABLE alert ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN excess INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN ratio INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN ended TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN end_reason TEXT NOT NULL DEFAULT '';
CREATE INDEX alert_matter ON alert (competence, matter);
CREATE INDEX alert_region ON alert (competence, region, matter);

ALTER TABLE event ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE trail ADD COLUMN region TEXT NOT NULL DEFAULT '';
CREATE INDEX trail_login ON trail (login, id);
CREATE INDEX trail_subject ON trail (subject, id);

-- What officers did to matters, for ever.
CREATE TABLE act (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	matter     INTEGER NOT NULL REFERENCES matter (id),
	version    INTEGER NOT NULL,
	at         INTEGER NOT NULL,
	login      TEXT NOT NULL,
	competence TEXT NOT NULL,
	kind       TEXT NOT NULL,
	details    TEXT NOT NULL,
	UNIQUE (matter, version)
) STRICT;
CREATE TRIGGER act_no_update BEFORE UPDATE ON act BEGIN SELECT RAISE(ABORT, 'acts are append only'); END;
CREATE TRIGGER act_no_delete BEFORE DELETE ON act BEGIN SELECT RAISE(ABORT, 'acts are append only'); END;

CREATE TABLE authority_case (
	matter     INTEGER NOT NULL REFERENCES matter (id),
	competence TEXT NOT NULL,
	number     TEXT NOT NULL,
	opened     INTEGER NOT NULL,
	login      TEXT NOT NULL,
	PRIMARY KEY (matter, competence),
	UNIQUE (competence, number)
) STRICT;

CREATE TABLE token (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	secret  BLOB NOT NULL UNIQUE,
	name    TEXT NOT NULL,
	login   TEXT NOT NULL,
	scopes  TEXT NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	used    INTEGER NOT NULL,
	revoked INTEGER NOT NULL
) STRICT;
CREATE INDEX token_login ON token (login, id);
