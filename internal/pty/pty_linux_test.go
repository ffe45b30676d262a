package pty

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// grow makes the goroutine's stack large, so that the collector moves it to a smaller one later.
func grow(n int) byte {
	var room [512]byte
	if n == 0 {
		return room[0]
	}
	room[n%len(room)] = byte(n)
	return grow(n-1) + room[n%len(room)]
}

func TestATerminalIsTheOneThatWasOpenedThoughTheCollectorMovesStacks(t *testing.T) {
	first, other, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(first.Close(), other.Close()); err != nil {
			t.Error(err)
		}
	}()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for range 500 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			grow(200)
			m, s, err := Open()
			if err != nil {
				t.Error(err)
				return
			}
			if n, err := unix.IoctlGetInt(int(m.Fd()), unix.TIOCGPTN); err != nil || s.Name() != "/dev/pts/"+strconv.Itoa(n) {
				t.Errorf("the other end of terminal %d is %s, %v", n, s.Name(), err)
			}
			if err := errors.Join(s.Close(), m.Close()); err != nil {
				t.Error(err)
			}
		}()
		<-done
	}
	close(stop)
	<-stopped
}

// deep opens a terminal with a stack that has to grow on the way.
func deep(t *testing.T, n int) {
	var room [512]byte
	if n > 0 {
		room[n%len(room)] = byte(n)
		deep(t, n-1)
		if room[n%len(room)] != byte(n) {
			t.Error("the stack is not what it was")
		}
		return
	}
	m, s, err := Open()
	if err != nil {
		t.Error(err)
		return
	}
	want := []byte("\x00\x03\r\n\x11\x13\xff\x7f ")
	for _, x := range []struct {
		from io.Writer
		to   io.Reader
	}{{m, s}, {s, m}} {
		if _, err := x.from.Write(want); err != nil {
			t.Error(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(x.to, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q came as %q, %v", want, got, err)
		}
	}
	if err := errors.Join(s.Close(), m.Close()); err != nil {
		t.Error(err)
	}
}

func TestBothEndsAreOfOneTerminalHoweverDeepItIsOpenedAndCarryEveryByte(t *testing.T) {
	first, other, err := Open() // the number that would be taken for a lost one
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(first.Close(), other.Close()); err != nil {
			t.Error(err)
		}
	}()
	for n := range 60 {
		done := make(chan struct{})
		go func() { // each with a new, small stack
			defer close(done)
			deep(t, n)
		}()
		<-done
	}
}
