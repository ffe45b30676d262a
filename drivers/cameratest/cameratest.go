// Package cameratest is the contract that the driver of every plate camera's format must keep: what was seen is what
// is read, once, with its picture; what comes twice, late or under a wrong clock costs nothing; what a camera did not
// read is no plate; what the site cannot take comes again.
//
// It is for tests only. A driver's own test hands it a rig: the driver with a camera at the other end of a real
// socket.
package cameratest

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// Driver is the driver under test.
type Driver interface {
	Run(ctx context.Context, emit func(wim.PlateRead, []byte) bool) error
	Health() wim.DeviceHealth
}

// Fault is what the camera gets wrong of one vehicle.
type Fault string

// The faults.
const (
	NoPlate    Fault = "no plate is read"
	NoPicture  Fault = "there is no picture"
	BadPicture Fault = "the picture is broken"
	Twice      Fault = "the event comes twice"
	WrongClock Fault = "the camera's clock is two days ahead"
)

// Ahead is how far a wrong clock is ahead.
const Ahead = 48 * time.Hour

// Camera is the other end of the socket. See sends one vehicle, named by id, with what goes wrong; it does not wait.
type Camera interface {
	See(plate, id string, at time.Time, faults ...Fault)
}

// Rig is a driver with its camera.
type Rig struct {
	Driver Driver
	Camera Camera
	// Mute says that such a camera says nothing of a vehicle whose plate it did not read.
	Mute bool
	// Blind says that such a camera sends no pictures.
	Blind bool
}

// patience bounds every wait.
const patience = 20 * time.Second

// Run runs the contract. open makes a new rig each time; it takes everything down with the test.
func Run(t *testing.T, open func(t testing.TB) Rig) {
	t.Run("what was seen is what is read", func(t *testing.T) {
		r := begin(t, open(t))
		at := time.Now().Truncate(time.Millisecond)
		plates := []string{"川A12345", "藏H88G6挂", "粤BD12345"}
		for i, p := range plates {
			r.Camera.See(p, fmt.Sprint("v", i), at.Add(time.Duration(i)*5*time.Second))
		}
		got := r.reads(len(plates))
		for i, g := range got {
			if g.read.Text != plates[i] || g.read.DeviceTime != wim.TimeOf(at.Add(time.Duration(i)*5*time.Second)) {
				t.Errorf("%s at %s is read as %s at %s", plates[i], at, g.read.Text, g.read.DeviceTime)
			}
			if g.read.Confidence < 500 || g.read.Confidence > 1000 || g.read.Arrival == 0 {
				t.Errorf("%+v", g.read)
			}
			r.pictured(g, !r.Blind)
		}
		// A read is counted once it is taken, which is a moment after it is seen here.
		if h := r.health(func(h wim.DeviceHealth) bool { return h.Messages >= uint64(len(plates)) }); !h.Up || h.Bad != 0 {
			t.Errorf("%+v", h)
		}
	})
	t.Run("what comes twice is one read", func(t *testing.T) {
		r := begin(t, open(t))
		at := time.Now()
		r.Camera.See("川A12345", "v1", at, Twice)
		r.Camera.See("川A54321", "v2", at.Add(5*time.Second), Twice)
		r.Camera.See("川A00001", "v3", at.Add(10*time.Second))
		for _, g := range r.reads(3) {
			if g.accounts > 2 { // a camera may have two accounts of one vehicle, each of which is handed on once
				t.Errorf("%s was handed on %d times", g.read.Text, g.accounts)
			}
		}
	})
	t.Run("what comes late stands at its own time", func(t *testing.T) {
		r := begin(t, open(t))
		at := time.Now().Truncate(time.Millisecond)
		r.Camera.See("川A54321", "v2", at.Add(5*time.Second))
		r.Camera.See("川A12345", "v1", at)
		got := r.reads(2)
		if got[0].read.Text != "川A54321" || got[1].read.Text != "川A12345" || got[1].read.DeviceTime != wim.TimeOf(at) || got[0].read.DeviceTime != wim.TimeOf(at.Add(5*time.Second)) {
			t.Errorf("%+v, then %+v", got[0].read, got[1].read)
		}
	})
	t.Run("a plate that was not read is none", func(t *testing.T) {
		r := begin(t, open(t))
		at := time.Now()
		r.Camera.See("川A12345", "v1", at, NoPlate)
		r.Camera.See("川A54321", "v2", at.Add(5*time.Second))
		want := []string{"", "川A54321"}
		if r.Mute {
			want = want[1:]
		}
		for i, g := range r.reads(len(want)) {
			if g.read.Text != want[i] || (g.read.Confidence == 0) != (want[i] == "") {
				t.Errorf("%q is read as %+v", want[i], g.read)
			}
		}
		if h := r.Driver.Health(); h.Bad != 0 {
			t.Errorf("a camera that reads no plate counts as bad: %+v", h)
		}
	})
	t.Run("two vehicles without a plate are two", func(t *testing.T) {
		r := begin(t, open(t))
		if r.Mute {
			t.Skip("such a camera says nothing of them")
		}
		at := time.Now()
		r.Camera.See("川A12345", "v1", at, NoPlate)
		r.Camera.See("川A54321", "v2", at.Add(5*time.Second), NoPlate)
		r.reads(2)
	})
	t.Run("a read without its picture is kept", func(t *testing.T) {
		for _, f := range []Fault{NoPicture, BadPicture} {
			r := begin(t, open(t))
			r.Camera.See("川A12345", "v1", time.Now(), f)
			g := r.reads(1)[0]
			if g.read.Text != "川A12345" {
				t.Errorf("%s: %+v", f, g.read)
			}
			r.pictured(g, false)
			if h := r.Driver.Health(); (h.Bad > 0) != (f == BadPicture && !r.Blind) {
				t.Errorf("%s: %+v", f, h)
			}
		}
	})
	t.Run("a wrong clock is passed on as it is, beside the arrival", func(t *testing.T) {
		r := begin(t, open(t))
		at := time.Now().Truncate(time.Millisecond)
		r.Camera.See("川A12345", "v1", at, WrongClock)
		g := r.reads(1)[0].read
		if g.DeviceTime != wim.TimeOf(at.Add(Ahead)) || time.Duration(g.DeviceTime-g.Arrival) < Ahead-patience {
			t.Errorf("at %s, by its clock %s, arrived %s", at, g.DeviceTime, g.Arrival)
		}
	})
	t.Run("what the site cannot take comes again and is taken once", func(t *testing.T) {
		r := begin(t, open(t))
		r.mu.Lock()
		r.refuse = 2
		r.mu.Unlock()
		at := time.Now()
		r.Camera.See("川A12345", "v1", at)
		r.Camera.See("川A54321", "v2", at.Add(5*time.Second))
		got := r.reads(2)
		if got[0].read.Text != "川A12345" || got[1].read.Text != "川A54321" {
			t.Errorf("%+v", got)
		}
	})
}

// account is one vehicle as it was handed on: its first account, amended by the later ones.
type account struct {
	read     wim.PlateRead
	jpeg     []byte
	accounts int
}

type rig struct {
	Rig
	t testing.TB

	mu     sync.Mutex
	got    []account // in the order of the first accounts
	refuse int       // so many more are not taken
	more   chan struct{}
}

func begin(t testing.TB, open Rig) *rig {
	t.Helper()
	r := &rig{Rig: open, t: t, more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Driver.Run(ctx, r.take) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the driver ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("the driver did not end with its context")
		}
	})
	return r
}

// health gives the driver's health when it is as wanted, and fails where it does not become so.
func (r *rig) health(wanted func(wim.DeviceHealth) bool) wim.DeviceHealth {
	r.t.Helper()
	limit, look := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer look.Stop()
	for {
		h := r.Driver.Health()
		if wanted(h) {
			return h
		}
		select {
		case <-look.C:
		case <-limit:
			r.t.Fatalf("the driver says %+v", h)
		}
	}
}

func (r *rig) take(read wim.PlateRead, jpg []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse > 0 {
		r.refuse--
		return false
	}
	defer func() {
		select {
		case r.more <- struct{}{}:
		default:
		}
	}()
	if read.Event == "" {
		r.t.Errorf("a read has no event: %+v", read)
	}
	for i := range r.got {
		g := &r.got[i]
		if g.read.Event != read.Event {
			continue
		}
		g.accounts++
		if read.Text != "" && (g.read.Text == "" || read.Confidence > g.read.Confidence) {
			picture := g.read.Picture
			g.read, g.read.Picture = read, picture
		}
		if g.jpeg == nil && jpg != nil {
			g.jpeg, g.read.Picture = jpg, read.Picture
		}
		return true
	}
	r.got = append(r.got, account{read, jpg, 1})
	return true
}

// reads waits until so many vehicles were handed on.
func (r *rig) reads(n int) []account {
	r.t.Helper()
	limit := time.After(patience)
	for {
		r.mu.Lock()
		got := append([]account(nil), r.got...)
		r.mu.Unlock()
		if len(got) > n {
			r.t.Fatalf("%d vehicles became %d", n, len(got))
		}
		if len(got) == n {
			return got
		}
		select {
		case <-r.more:
		case <-limit:
			r.t.Fatalf("%d vehicles were handed on, want %d; the driver says %+v", len(got), n, r.Driver.Health())
		}
	}
}

// pictured holds a read's picture against its digest.
func (r *rig) pictured(g account, want bool) {
	r.t.Helper()
	if !want {
		if g.jpeg != nil || !g.read.Picture.IsZero() {
			r.t.Errorf("a picture of %d bytes that there is not", len(g.jpeg))
		}
		return
	}
	if _, err := jpeg.DecodeConfig(bytes.NewReader(g.jpeg)); err != nil || g.read.Picture != wim.DigestOf(g.jpeg) {
		r.t.Errorf("a picture of %d bytes under %s: %v", len(g.jpeg), g.read.Picture, err)
	}
}
