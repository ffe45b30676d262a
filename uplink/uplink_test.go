package uplink_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/axlegate/axlegate/uplink"
)

func TestPackAndUnpackAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segments := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 2000), 1, 20).Draw(t, "segments")
		payload, taken, err := uplink.Pack(segments)
		if err != nil || taken != len(segments) {
			t.Fatalf("took %d of %d: %v", taken, len(segments), err)
		}
		got, err := uplink.Unpack(payload)
		if err != nil || len(got) != taken {
			t.Fatalf("got %d: %v", len(got), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], segments[i]) {
				t.Fatalf("segment %d differs", i)
			}
		}
	})
}

func TestPackTakesFromTheFrontWhatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, uplink.MaxMessage), 1, 8).Draw(t, "sizes")
		segments := make([][]byte, len(sizes))
		want, room := 0, uplink.MaxMessage-1
		for i, n := range sizes {
			segments[i] = make([]byte, n)
			if room -= n + 4; room >= 0 {
				want = i + 1
			}
		}
		payload, taken, err := uplink.Pack(segments)
		if want == 0 {
			if err == nil {
				t.Fatal("a first segment that is too large alone was taken")
			}
			return
		}
		if err != nil || taken != want || len(payload) > uplink.MaxMessage {
			t.Fatalf("took %d, want %d, %d bytes: %v", taken, want, len(payload), err)
		}
	})
}

func TestNothingCannotBePacked(t *testing.T) {
	if _, _, err := uplink.Pack(nil); err == nil {
		t.Fatal("packed nothing")
	}
}

func TestWhatUnpackGivesOutCannotReachItsNeighbour(t *testing.T) {
	payload, _, err := uplink.Pack([][]byte{[]byte("one"), []byte("two")})
	if err != nil {
		t.Fatal(err)
	}
	got, err := uplink.Unpack(payload)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(got[0], "overflow"...)
	if string(got[1]) != "two" {
		t.Fatalf("the second segment became %q", got[1])
	}
}

func TestUnpackRefusesWhatIsNoMessage(t *testing.T) {
	for name, payload := range map[string]string{
		"nothing":               "",
		"another version":       "\x02\x00\x00\x00\x01x",
		"no segment":            "\x01",
		"a length cut off":      "\x01\x00\x00",
		"a segment cut off":     "\x01\x00\x00\x00\x02x",
		"an empty segment":      "\x01\x00\x00\x00\x00",
		"a rest behind":         "\x01\x00\x00\x00\x01xyz",
		"a length beyond reach": "\x01\xff\xff\xff\xffx",
		"more than allowed":     "\x01\x00\x04\x00\x00" + strings.Repeat("x", uplink.MaxMessage),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := uplink.Unpack([]byte(payload)); !errors.Is(err, uplink.ErrMessage) {
				t.Fatalf("got %q, %v", got, err)
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	for _, s := range [][][]byte{{[]byte("a")}, {[]byte("one"), []byte("two")}, {bytes.Repeat([]byte{0}, 300)}} {
		payload, _, err := uplink.Pack(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		segments, err := uplink.Unpack(payload)
		if err != nil {
			if segments != nil || !errors.Is(err, uplink.ErrMessage) {
				t.Fatalf("%d segments beside %v", len(segments), err)
			}
			return
		}
		again, taken, err := uplink.Pack(segments)
		if err != nil || taken != len(segments) || !bytes.Equal(again, payload) {
			t.Fatalf("packs to another message: %d of %d, %v", taken, len(segments), err)
		}
	})
}

func TestATopicTellsItsSite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		site := rapid.StringMatching(`[a-z0-9-]{1,32}`).Draw(t, "site")
		channel := rapid.SampledFrom([]uplink.Channel{uplink.Segments, uplink.Receipts, uplink.Status}).Draw(t, "channel")
		topic := uplink.Topic(site, channel)
		got, c, err := uplink.SiteOf(topic)
		if err != nil || got != site || c != channel {
			t.Fatalf("%s: %q %q %v", topic, got, c, err)
		}
		slot := uplink.Slot(site)
		if slot < 0 || slot >= uplink.Slots {
			t.Fatalf("slot %d", slot)
		}
		if want := strings.Replace(uplink.SlotFilter(slot, channel), "+", site, 1); want != topic {
			t.Fatalf("the filter of the slot does not meet %s", topic)
		}
	})
}

// The slot of a site is in every topic: it must never change between versions.
func TestSlotsStayWhereTheyAre(t *testing.T) {
	for site, want := range map[string]int{"north-1": 14, "south-2": 5, "a": 12} {
		if got := uplink.Slot(site); got != want {
			t.Errorf("%s lies in slot %d, want %d", site, got, want)
		}
	}
}

func TestTopicsOfAnotherProtocolAreRefused(t *testing.T) {
	for name, topic := range map[string]string{
		"nothing":         "",
		"another root":    "other/v1/14/north-1/segments",
		"another version": "axlegate/v2/14/north-1/segments",
		"too short":       "axlegate/v1/14/north-1",
		"too long":        "axlegate/v1/14/north-1/segments/x",
		"no site":         "axlegate/v1/5//segments",
		"another slot":    "axlegate/v1/13/north-1/segments",
		"a padded slot":   "axlegate/v1/014/north-1/segments",
		"not a slot":      "axlegate/v1/x/north-1/segments",
	} {
		t.Run(name, func(t *testing.T) {
			if site, c, err := uplink.SiteOf(topic); err == nil {
				t.Fatalf("read as %q %q", site, c)
			}
		})
	}
}

func TestAStatusIsReadAsItWasWritten(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.FixedZone("east", 8*3600))
	s := uplink.SiteStatus{State: uplink.Online, Boot: "b1", Connection: 3, Time: at}
	const want = `{"state":"online","boot":"b1","connection":3,"time":"2026-03-01T00:00:00Z"}`
	if got := string(s.Encode()); got != want {
		t.Fatalf("wrote %s, want %s", got, want)
	}
	got, err := uplink.DecodeStatus(s.Encode())
	if err != nil || got.State != s.State || got.Boot != s.Boot || got.Connection != s.Connection || !got.Time.Equal(at) {
		t.Fatalf("read %+v, %v", got, err)
	}
	s.Time = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)
	if got, err := uplink.DecodeStatus(s.Encode()); err != nil || !got.Time.IsZero() {
		t.Fatalf("a clock beyond all years: %+v, %v", got, err)
	}
	for name, payload := range map[string]string{
		"nothing": "", "no object": "3", "no state": `{"boot":"b"}`, "another state": `{"state":"tired","boot":"b"}`,
		"no boot": `{"state":"online"}`, "too long": `{"state":"online","boot":"` + strings.Repeat("b", 2000) + `"}`,
	} {
		if got, err := uplink.DecodeStatus([]byte(payload)); !errors.Is(err, uplink.ErrMessage) || got != (uplink.SiteStatus{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestALateWillIsKnownAsSuch(t *testing.T) {
	on := func(boot string, n uint64) uplink.SiteStatus {
		return uplink.SiteStatus{State: uplink.Online, Boot: boot, Connection: n}
	}
	off := func(boot string, n uint64) uplink.SiteStatus {
		return uplink.SiteStatus{State: uplink.Offline, Boot: boot, Connection: n}
	}
	for name, tc := range map[string]struct {
		next, last uplink.SiteStatus
		stale      bool
	}{
		"the will of this connection":     {off("a", 2), on("a", 2), false},
		"the will of an older connection": {off("a", 1), on("a", 2), true},
		"the will of another run":         {off("b", 9), on("a", 2), true},
		"an online":                       {on("a", 1), on("a", 2), false},
		"an offline after an offline":     {off("b", 1), off("a", 2), false},
		"the first that is heard":         {off("a", 1), uplink.SiteStatus{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.next.Stale(tc.last); got != tc.stale {
				t.Fatalf("stale %v", got)
			}
		})
	}
}
