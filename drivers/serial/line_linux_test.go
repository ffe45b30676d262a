package serial

import (
	"os"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// holders counts how often this process has a device open.
func holders(t *testing.T, device string) (n int) {
	t.Helper()
	const dir = "/proc/self/fd"
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		// One that was closed meanwhile has no name any more, which is what an empty one says.
		if name, _ := os.Readlink(dir + "/" + fd.Name()); name == device {
			n++
		}
	}
	return n
}

// Until a lost port is closed the kernel keeps its name, and an adapter that comes back gets another.
func TestALostLineIsLetGo(t *testing.T) {
	l := newLine(t)
	_, out := run(t, Config{Device: "scale-1", Path: l.link, Silence: 250 * time.Millisecond})
	for range 3 {
		reach(t, l, out, goldenFrames(t)[0])
		drain(t, out, wim.LinkDown)
		until(t, "the line to be held by the test alone", func() bool { return holders(t, l.slave.Name()) == 1 })
	}
}
