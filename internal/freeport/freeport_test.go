package freeport

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestWhatIsHandedOutCanBeListenedOnAndIsHandedOutOnce(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port, err := Port(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if port < first || port > last {
			t.Fatalf("port %d lies where the system takes ports of outgoing connections from", port)
		}
		if seen[port] {
			t.Fatalf("port %d was handed out twice", port)
		}
		seen[port] = true
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPortOnWhichSomebodyListensIsNotHandedOut(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was sent
	if err := reserve(t.Context(), l.Addr().String()); err == nil {
		t.Fatal("it was")
	}
}

func TestNoOtherProcessIsGivenThePortWhileThisOneLives(t *testing.T) {
	if asked := os.Getenv("AXLEGATE_FREEPORT_TRY"); asked != "" { // the other process
		if err := reserve(t.Context(), asked); err != nil {
			fmt.Println("refused: " + err.Error())
		}
		return
	}
	addr, err := Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "AXLEGATE_FREEPORT_TRY="+addr)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "refused: ") {
		t.Fatalf("the other process was given %s too:\n%s", addr, out)
	}
}
