-- What a person asks of a period: which vehicles passed on which lane, and what is missing.

-- The lane of a passage; 0 for those that were reviewed before it was noted.
ALTER TABLE account ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;

CREATE INDEX record_tombstone ON record (chain, seq) WHERE kind = 'tombstone';
