package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock holds path + ".lock" for this process. The kernel releases it when the process dies, however it dies.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock journal: %w; check that the daemon's user owns the folder and may write to it", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close() //nolint:errcheck // the lock error says more
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s; two daemons with one journal would fork its chain, stop the other one", ErrBusy, path)
		}
		return nil, fmt.Errorf("lock journal %s: %w", path, err)
	}
	return f, nil
}
