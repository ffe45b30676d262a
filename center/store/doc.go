// Package store is the centre's memory and the only SQL of the centre: sealed records with the ledger that
// proves them, chains and their heads, matters, alerts, events, officers, sessions and the audit trail.
//
// It promises: what StoreSegment has returned for is durable and is stored once, however often it is sent;
// two records under one name are both kept and alarmed; a head names only what is contiguous and linked;
// event ids rise in the order in which events become visible, so that "after id" misses nothing; whatever a
// review writes is written together with its cursor or not at all; the audit trail only grows. A new epoch
// begins when a SQLite file is opened, and when a PostgreSQL database is joined by its first centre, started
// again or restored, so that a store restored from a backup is known as such by what it signs. What retention
// takes away leaves its digest.
//
// It never judges and never believes: signatures are verified before StoreSegment and verdicts are judged
// before Review. A SQLite file is opened for writing by one process at a time, and readers may look on; several
// processes work on one PostgreSQL database.
package store
