-- What toll and checkpoint systems said of vehicles, as far as the sites linked it to passages: the record that says so by its intake
-- number, and the passage by its.
CREATE TABLE linked (
	intake  BIGINT PRIMARY KEY,
	passage BIGINT NOT NULL
);
CREATE INDEX linked_passage ON linked (passage);
