package capture

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWhatIsNotedIsReadAsItCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var file bytes.Buffer
		w, err := NewWriter(&file, Head{Device: "scale-1", Line: "somewhere", Calls: rapid.Bool().Draw(t, "calls")})
		if err != nil {
			t.Fatal(err)
		}
		said := map[From][]byte{}
		for range rapid.IntRange(0, 8).Draw(t, "entries") {
			from := rapid.SampledFrom([]From{Device, Host}).Draw(t, "from")
			p := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "bytes"), rapid.SampledFrom([]int{1, 3, 9000}).Draw(t, "times"))
			w.Bytes(1, from, p)
			said[from] = append(said[from], p...)
		}
		w.Event(1, Close, "the end")
		whole := file.Bytes()
		at := rapid.SampledFrom([]int{0, 1, 20}).Draw(t, "cut") // the writer is killed within its last line
		r, err := NewReader(bytes.NewReader(whole[:len(whole)-at]))
		if err != nil {
			t.Fatal(err)
		}
		got := map[From][]byte{}
		events := 0
		for {
			e, err := r.Next()
			if err != nil {
				if at > 1 && !errors.Is(err, ErrCut) || at <= 1 && !errors.Is(err, io.EOF) {
					t.Fatalf("cut by %d: %v", at, err)
				}
				break
			}
			if len(e.Bytes) > maxBytes {
				t.Fatalf("an entry of %d bytes", len(e.Bytes))
			}
			if e.Event != "" {
				events++
			}
			got[e.From] = append(got[e.From], e.Bytes...)
		}
		for _, f := range []From{Device, Host} {
			if !bytes.Equal(got[f], said[f]) {
				t.Fatalf("%s said %d bytes, read are %d", f, len(said[f]), len(got[f]))
			}
		}
		if at <= 1 && events != 1 {
			t.Fatalf("%d events", events)
		}
	})
}

// full takes so many bytes and no more, as a disk does.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n := f.left
		f.left = 0
		return n, errors.New("no space left")
	}
	f.left -= len(p)
	return len(p), nil
}

func TestAFullDiskEndsACaptureAndIsTold(t *testing.T) {
	w, err := NewWriter(&full{300}, Head{Device: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		w.Bytes(1, Device, []byte("0123456789"))
	}
	if _, err := w.State(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatal(err)
	}
	if err := Hear(w, 1, strings.NewReader("more"), func(int64) {}); err == nil {
		t.Error("a relay goes on though nothing is noted any more")
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"axlegate_capture":1}` + "\n" + `{"at_ns":2,"conn":1,"from":"device","hex":"00"}` + "\n" + `{"at_ns":2,"conn":1,"event":"close","why":"x"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		var times []int64
		for {
			e, err := r.Next()
			if err != nil {
				break
			}
			if e.Conn < 1 || (len(e.Bytes) > 0) == (e.Event != "") {
				t.Errorf("%+v", e)
			}
			times = append(times, int64(e.At))
		}
		if !slices.IsSorted(times) {
			t.Error("time goes back")
		}
	})
}
