package modbus

import (
	"errors"
	"os"
	"testing"
	"time"

	port "go.bug.st/serial"
)

// noise is a line on which bytes come in pieces and then none any more.
type noise struct {
	port.Port
	bytes []byte
	piece int
}

var errQuiet = errors.New("no more bytes come")

func (n *noise) SetReadTimeout(time.Duration) error { return nil }

func (n *noise) Read(p []byte) (int, error) {
	if len(n.bytes) == 0 {
		return 0, errQuiet
	}
	m := copy(p[:min(len(p), n.piece)], n.bytes)
	n.bytes = n.bytes[m:]
	return m, nil
}

// FuzzReceive: whatever comes on a line, in whatever pieces, a frame that is handed on is of the unit that was asked
// or not whole, which the checksum tells the library; the end of the bytes is an error and no hang.
func FuzzReceive(f *testing.F) {
	f.Add([]byte{1, 3, 2, 0, 7, 0xF9, 0x86}, uint8(1), uint8(3))
	f.Add(append(sealed(9, 3, 2, 0, 1), sealed(1, 3, 2, 0, 7)...), uint8(1), uint8(64))
	f.Add(sealed(1, 0x83, 2), uint8(1), uint8(1))
	f.Add([]byte{1, 3, 255, 0}, uint8(1), uint8(9))
	f.Fuzz(func(t *testing.T, b []byte, unit, piece uint8) {
		r := &rtu{line: &noise{bytes: append([]byte(nil), b...), piece: max(1, int(piece))}, timeout: time.Hour}
		frame, err := r.receive(unit, time.Now().Add(time.Hour))
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
			return
		}
		if len(frame) < rtuException || len(frame) > rtuMax || frame[0] != unit && whole(frame) {
			t.Errorf("% X for unit %d", frame, unit)
		}
	})
}

func TestALateAnswerInFrontOfTheRightOneIsSkippedInWhateverPieces(t *testing.T) {
	for piece := 1; piece <= 16; piece++ {
		r := &rtu{line: &noise{bytes: append(sealed(9, 3, 2, 0, 1), sealed(1, 0x83, 2)...), piece: piece}, timeout: time.Hour}
		frame, err := r.receive(1, time.Now().Add(time.Hour))
		if err != nil || len(frame) != 5 || frame[0] != 1 || frame[1] != 0x83 {
			t.Errorf("in pieces of %d: % X, %v", piece, frame, err)
		}
	}
}
