// Package freeport hands out addresses on this machine for servers that are started later, by another process, or
// again after they were killed.
//
// A port that the system picks (":0") is free when it is asked for and may belong to anybody a moment later: the system
// takes the ports of outgoing connections from the same range, and two processes that look for a free one find the same.
// The ports handed out here lie below that range, and as long as this process lives no other one is handed the same.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The range lies above the ports that services of a machine are known by and below 32768, where Linux begins to take
// ports of outgoing connections; other systems begin higher.
const first, last = 18000, 32767

// Address gives an address on 127.0.0.1, host:port, where nobody listens, and that no other process which asks here is
// given while this one lives.
func Address(ctx context.Context) (string, error) {
	var why error
	for range 64 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(last-first+1)))
		if why = reserve(ctx, addr); why == nil {
			return addr, nil
		}
	}
	return "", fmt.Errorf("no free port on 127.0.0.1 between %d and %d was found: %w", first, last, why)
}

// Port is Address for those who want the number only.
func Port(ctx context.Context) (int, error) {
	addr, err := Address(ctx)
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// reserve takes the UDP port of the number, which nobody here serves on, and keeps it until the process ends: that is a
// lock which every process sees and which cannot outlive its owner. Then it looks whether the TCP port is free.
func reserve(ctx context.Context, addr string) error {
	var lc net.ListenConfig
	lock, err := lc.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return err
	}
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	if err := l.Close(); err != nil {
		return errors.Join(err, lock.Close())
	}
	keep(lock)
	return nil
}
