package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/axlegate/axlegate/center"
)

// Errors that callers decide on.
var (
	// ErrFull says that nothing was kept because the disk, or the store's own bound, is full.
	ErrFull = errors.New("no space for the store")
	// ErrDamaged says that the file contradicts itself.
	ErrDamaged = errors.New("store is damaged")
	// ErrPruned says that retention has removed the bytes that were asked for. The ledger has their digests.
	ErrPruned = fmt.Errorf("removed by retention: %w", center.ErrNotFound)
	// ErrRefused says that what was handed in can never be stored; trying again will not help.
	ErrRefused = errors.New("cannot be stored")
)

// wrap gives a database error the words of its operation and, where a caller decides on it, its kind.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch code := se.Code(); {
		case code&0xff == sqlite3.SQLITE_FULL, code == sqlite3.SQLITE_IOERR_SHMSIZE:
			return fmt.Errorf("%s: %w: %w; free space on its file system", op, ErrFull, err)
		case code&0xff == sqlite3.SQLITE_CORRUPT, code&0xff == sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%s: %w: %w; stop the centre, keep the file and restore the last backup: sites send again what it lacks", op, ErrDamaged, err)
		case code&0xff == sqlite3.SQLITE_READONLY, code&0xff == sqlite3.SQLITE_CANTOPEN, code&0xff == sqlite3.SQLITE_PERM:
			return fmt.Errorf("%s: %w; check that the centre's user owns the folder and may write to it", op, err)
		}
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch {
		case pe.Code == "53100":
			return fmt.Errorf("%s: %w: %w; free space on the database server", op, ErrFull, err)
		case pe.Code == "XX001", pe.Code == "XX002":
			return fmt.Errorf("%s: %w: %w; stop the centres, keep the database and restore the last backup: sites send again what it lacks", op, ErrDamaged, err)
		case pe.Code == "42501":
			return fmt.Errorf("%s: %w; the centre's role must own its tables", op, err)
		}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// inTheWay tells that PostgreSQL ended a transaction only because another one ran at the same time: nothing
// was kept, and it may be tried again at once.
func inTheWay(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (pe.Code == "40001" || pe.Code == "40P01")
}

// again tells that a transaction of PostgreSQL that was not yet committed may go through on another turn: it
// stood in another's way, or its connection was cut, as all are when the server starts again.
func again(err error) bool {
	if inTheWay(err) || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) {
		return true
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		// 57P01 to 57P03: the server stops, has crashed or is about to take connections; 08: the connection.
		return strings.HasPrefix(pe.Code, "57P0") || strings.HasPrefix(pe.Code, "08")
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// lockTimedOut tells that a statement did not get a lock in the time it was given.
func lockTimedOut(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "55P03"
}
