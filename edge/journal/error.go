package journal

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers decide on.
var (
	// ErrFull says that nothing was kept because the disk, or the journal's own bound, is full.
	ErrFull = errors.New("no space for the journal")
	// ErrUnwritable says that the disk does not take writes: read-only, without the right to, or failing. It may
	// heal by itself.
	ErrUnwritable = errors.New("the disk does not take what is written")
	// ErrDamaged says that the file contradicts itself; nothing is written to it any more.
	ErrDamaged = errors.New("journal is damaged")
	// ErrSite says that the file, or a receipt, belongs to another site.
	ErrSite = errors.New("belongs to another site")
	// ErrBusy says that another process has the journal open.
	ErrBusy = errors.New("journal is open in another process")
	// ErrOtherChain says that a receipt is for a chain that this journal never had. After a journal was made
	// anew the centre's last receipt for the old one is still on its topic, so this is weather.
	ErrOtherChain = errors.New("receipt for a chain of another journal")
	// ErrOldEpoch says that a receipt is from before the centre's store was restored.
	ErrOldEpoch = errors.New("receipt of an older store epoch")
	// ErrReceipt says that a receipt does not fit what this journal holds.
	ErrReceipt = errors.New("receipt does not fit")
)

// DraftError says which draft of an Append can never be sealed. Nothing of that Append was kept; without the
// draft it may be tried again.
type DraftError struct {
	Index int
	Err   error
}

// Error names the draft and why it was refused.
func (e *DraftError) Error() string { return fmt.Sprintf("draft %d: %v", e.Index, e.Err) }

// Unwrap returns the cause.
func (e *DraftError) Unwrap() error { return e.Err }

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
			return fmt.Errorf("%s: %w: %w; %s", op, ErrDamaged, err, setAside)
		case code&0xff == sqlite3.SQLITE_READONLY, code&0xff == sqlite3.SQLITE_CANTOPEN, code&0xff == sqlite3.SQLITE_PERM:
			return fmt.Errorf("%s: %w: %w; check that its file system is not read-only, and that the daemon's user owns the folder and may write to it", op, ErrUnwritable, err)
		case code&0xff == sqlite3.SQLITE_IOERR:
			return fmt.Errorf("%s: %w: %w; look at the disk and the kernel's log", op, ErrUnwritable, err)
		}
	}
	if strings.HasPrefix(err.Error(), "sql: Scan error") { // a column holds what was never written to it
		return fmt.Errorf("%s: %w: %w; %s", op, ErrDamaged, err, setAside)
	}
	return fmt.Errorf("%s: %w", op, err)
}

const setAside = "move the file aside (keep it: it is evidence) and start again; the site then begins a new chain"
