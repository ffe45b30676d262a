package intake

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// FuzzHandleMessage feeds anything a site's topic may carry. Nothing that the fuzzer makes up is signed, so
// nothing may be stored but the one signed record of the seeds, bit for bit, and nothing else be receipted. (The
// text of a signature has other forms that hold as well: the last digit of its base64 has bits to spare.)
func FuzzHandleMessage(f *testing.F) {
	c := storetest.NewChain(f, known, 0) // small, or the fuzzer spends its time making it smaller
	jws, raws := c.Sign(1, 1)
	good, _, err := uplink.Pack([][]byte{c.Bundle(1, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(slices.Clone(good), good[1:]...))
	f.Add([]byte{1, 0, 0, 0, 1, 1})
	f.Add(seal.AppendBundle([]byte{1, 0, 0, 0, 0}, jws, raws))
	store := &memory{}
	center := storetest.Signer(f, 9)
	receipts := 0
	in, err := New(Config{
		Store: store, Signer: center, Logger: slog.New(slog.DiscardHandler),
		SendReceipt: func(context.Context, string, []byte) error { receipts++; return nil },
		Sites:       func(wim.SiteID) ([]*seal.Verifier, bool) { return []*seal.Verifier{c.Key.Verifier()}, true },
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		store.segments, receipts = nil, 0
		if err := in.HandleMessage(t.Context(), known, payload); err != nil {
			t.Errorf("it would come again for ever: %v", err)
		}
		handOut(t.Context(), in)
		for _, s := range store.segments {
			if s.Site != known || s.Key != c.Key.ID || len(s.Records) != 1 || !bytes.Equal(s.Records[0].Raw, raws[0]) {
				t.Errorf("stored: %+v", s)
			}
		}
		if receipts != min(1, len(store.segments)) {
			t.Errorf("%d segments stored, %d receipts", len(store.segments), receipts)
		}
	})
}

// memory is a store that only remembers what it was given.
type memory struct{ segments []store.Segment }

func (m *memory) StoreSegments(_ context.Context, segs []store.Segment) (out []store.Result, err error) {
	for _, s := range segs {
		m.segments = append(m.segments, s)
		out = append(out, store.Result{Seq: s.Records[len(s.Records)-1].Seq, Epoch: 1})
	}
	return out, nil
}
func (m *memory) Quarantine(context.Context, store.Item) error { return nil }
func (m *memory) Heads(context.Context) ([]store.Head, error)  { return nil, nil }

// BenchmarkHandleMessage is one urgent record from the broker's bytes to its signed receipt, durable.
func BenchmarkHandleMessage(b *testing.B) {
	r := newRig(b)
	c := storetest.NewChain(b, known, 0)
	for b.Loop() {
		b.StopTimer()
		n := len(c.Records)
		m := r.message(c.Bundle(n, n))
		c.Exceeded("川A12345")
		b.StartTimer()
		if err := r.HandleMessage(b.Context(), known, m); err != nil {
			b.Fatal(err)
		}
		handOut(b.Context(), r.Intake)
	}
}
