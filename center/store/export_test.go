package store

import "database/sql"

// OnCommit puts a fault before or after the commits of a store.
func (s *Store) OnCommit(fn func(*sql.Tx) error) { s.commit = fn }
