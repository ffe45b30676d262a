package pty

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// Open makes a pseudo-terminal: what is written to master is read from slave, and the other way round. As on a real line nothing is
// echoed and no byte has a meaning. The slave's name is its path.
//
// It is not taken from a library: the usual one hands the kernel an address on the goroutine's stack as a number. When the stack moves in
// between, the number of the new terminal is lost, 0 stands in its place, and the caller gets somebody else's line.
func Open() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("pseudo-terminal: %w", err)
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("pseudo-terminal: %w", err), master.Close())
	}
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("pseudo-terminal: %w", err), slave.Close(), master.Close())
	}
	return master, slave, nil
}
