package testenv

import (
	"fmt"
	"maps"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func mbpollTool() tool { return tool{name: "mbpoll", pack: "mbpoll"} }

// pymodbusTool is the library of Debian's own Python, which is the one at pythonPath.
func pymodbusTool() tool {
	return tool{name: "pymodbus", pack: "python3-pymodbus", more: []string{"python3-serial", "python3-serial-asyncio"}, places: []string{"/usr/lib/python3/dist-packages/pymodbus/__init__.py"}}
}

const pythonPath = "/usr/bin/python3"

// Mbpoll gives the path of mbpoll, a Modbus master on libmodbus.
func Mbpoll(tb testing.TB) string { tb.Helper(); return program(tb, mbpollTool()) }

// pymodbusServer serves holding and input registers from the pairs in its second argument at the port in its first.
const pymodbusServer = `
import sys
from pymodbus.server import StartTcpServer
from pymodbus.datastore import ModbusSparseDataBlock, ModbusSlaveContext, ModbusServerContext
values = {int(a): int(v) for a, v in (p.split("=") for p in sys.argv[2].split(","))}
slave = ModbusSlaveContext(hr=ModbusSparseDataBlock(dict(values)), ir=ModbusSparseDataBlock(dict(values)), zero_mode=True)
StartTcpServer(context=ModbusServerContext(slaves=slave, single=True), address=("127.0.0.1", int(sys.argv[1])))
`

// Pymodbus starts a Modbus TCP server of pymodbus with these holding and input registers, by frame address, and gives
// where it listens. It ends with the test.
func Pymodbus(tb testing.TB, registers map[uint16]uint16) (addr string) {
	tb.Helper()
	program(tb, pymodbusTool())
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	addr = l.Addr().String()
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		tb.Fatal(err)
	}
	var pairs []string
	for _, at := range slices.Sorted(maps.Keys(registers)) {
		pairs = append(pairs, fmt.Sprintf("%d=%d", at, registers[at]))
	}
	cmd := exec.CommandContext(tb.Context(), pythonPath, "-c", pymodbusServer, port, strings.Join(pairs, ","))
	cmd.Stdout, cmd.Stderr = tb.Output(), tb.Output()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { cmd.Wait() }) //nolint:errcheck // the end of the test kills it
	deadline := time.Now().Add(20 * time.Second)
	for {
		c, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", addr)
		if err == nil {
			c.Close() //nolint:errcheck // nothing was sent
			return addr
		}
		if time.Now().After(deadline) {
			tb.Fatalf("pymodbus does not listen: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
