// Package journal is what a site knows and must not lose: its sealed records, how far each device's messages
// have been taken into account, what the centre has receipted and which pictures wait to be handed in. It is
// one SQLite file (WAL, synced on every commit), the only SQL of the edge.
//
// It promises: records, the device cursors they rest on and the head of their chain are committed and synced
// in one transaction, mostly one row, so that after any crash the cursor and the last record agree and a chain
// has neither a hole nor a doubled record. In memory nothing advances before the commit it depends on; after a
// commit whose result is unclear the file is asked. A record leaves only when a receipt covers it and Keep has
// passed since that receipt.
//
// It never signs, never verifies a signature (it is given receipts that its caller has verified), never
// changes the bytes of a record, and never starts over by itself: a damaged journal, or one of another site,
// is refused. Recover is for the caller to call: it sets a damaged journal aside and goes on with what it gives up.
//
// One process has a journal open at a time; Audit may read it meanwhile.
package journal
