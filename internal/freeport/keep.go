package freeport

import (
	"net"
	"sync"
)

// kept has the locks of this process. Without it the collector would close them.
var kept struct { //nolint:gochecknoglobals // what a process holds of the machine is the process's
	sync.Mutex

	locks []net.PacketConn
}

func keep(lock net.PacketConn) {
	kept.Lock()
	defer kept.Unlock()
	kept.locks = append(kept.locks, lock)
}
