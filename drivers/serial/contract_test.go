package serial

import (
	"bytes"
	"testing"
	"time"

	"github.com/axlegate/axlegate/drivers/scaletest"
	"github.com/axlegate/axlegate/wim"
)

// wired is a scale that speaks AF1 on a pseudo-terminal.
type wired struct {
	line      *line
	boot, seq uint32
}

func (w *wired) Note(r wim.Reading) wim.Reading {
	w.seq++
	r.Boot, r.Seq, r.DeviceTime = w.boot, w.seq, int64(w.seq)*1_000_000
	w.write(encode(r))
	return r
}

// Disturb ends in as many quiet bytes as a frame can have, so that no start mark among them waits for more.
func (w *wired) Disturb() {
	w.write(append([]byte("\x02\x1aA garbage \x02\x02\xff"), bytes.Repeat([]byte{0}, af1Max)...))
}

func (w *wired) write(b []byte) {
	if w.line.master != nil {
		w.line.send(b)
	}
}

func (w *wired) Pull()    { w.line.pull() }
func (w *wired) Plug()    { w.line.plug() }
func (w *wired) Restart() { w.boot, w.seq = w.boot+1, 0 }

func TestTheSerialScaleKeepsTheContract(t *testing.T) {
	scaletest.Run(t, func(t testing.TB) scaletest.Rig {
		w := &wired{line: newLine(t), boot: 77}
		s, err := New(Config{Device: "scale-1", Path: w.line.link, Silence: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return scaletest.Rig{Scale: s, Device: w}
	})
}
