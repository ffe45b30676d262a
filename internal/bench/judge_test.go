package bench

import (
	"testing"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

func ruleSet(b *testing.B) *rules.Set {
	b.Helper()
	y, err := configs.Rules("cn-2016-62")
	if err != nil {
		b.Fatal(err)
	}
	s, err := rules.Load("cn-2016-62", y)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// sixAxles is a registered six-axle train, over the limit for both authorities.
func sixAxles() *wim.Facts {
	f := &wim.Facts{
		Time: wim.TimeOf(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)), Clock: wim.ClockSynchronised, Purpose: wim.Enforcement,
		Road:       wim.Road{Name: "G5", Class: "class-1"},
		Instrument: wim.Instrument{ID: "scale-1"},
		Vehicle:    wim.Vehicle{Lane: 1, Speed: 620, Gross: 61000, AxleSum: 61000},
		Units: []wim.Unit{
			{Plate: "川A12345", Confidence: 980, Kind: wim.Goods, Registration: &wim.Registration{Plate: "川A12345", Kind: wim.Goods, Kerb: 8800, Towed: 40000, DriveAxles: 2, Axles: 3}},
			{Plate: "川A1234挂", Confidence: 970, Kind: wim.Goods, Registration: &wim.Registration{Plate: "川A1234挂", Kind: wim.Goods, Kerb: 6100, Rated: 33900, Gross: 40000, Axles: 3}},
		},
	}
	for i, a := range []struct {
		load wim.Kg
		gap  wim.Mm
	}{{6800, 0}, {11000, 3200}, {11000, 1350}, {10800, 6400}, {10700, 1310}, {10700, 1310}} {
		f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(i + 1), Load: a.load, Left: a.load / 2, Right: a.load / 2, Speed: 620, Spacing: a.gap})
	}
	wim.Classify(&f.Vehicle)
	return f
}

// BenchmarkJudge judges a train with two registrations against the whole shipped set. The peer is a bound
// that anyone can check: adding up the six axle loads a hundred times.
func BenchmarkJudge(b *testing.B) {
	set, f := ruleSet(b), sixAxles()
	var v wim.Verdict
	set.Judge(f, &v)
	if !v.Exceeded() {
		b.Fatal("the vehicle must be over the limit")
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		set.Judge(f, &v)
		n++
	}
	ours := b.Elapsed()
	b.StopTimer()
	var sum wim.Kg
	at := time.Now()
	for range n {
		for range 100 {
			for i := range f.Vehicle.Axles {
				sum += f.Vehicle.Axles[i].Load
			}
		}
	}
	peer := time.Since(at)
	if sum == 0 {
		b.Fatal("nothing was added")
	}
	b.ReportMetric(float64(peer.Nanoseconds())/float64(n), "peer-ns/op")
	b.ReportMetric(float64(ours)/float64(peer), "ratio")
}
