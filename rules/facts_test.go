package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// The shipped sets are read as files: rules knows nothing of the package that embeds them.
func load(t testing.TB, path ...string) *Set {
	t.Helper()
	p := filepath.Join(path...)
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Load(p, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func china(t testing.TB) *Set   { return load(t, "..", "configs", "rules", "cn-2016-62.yaml") }
func testSet(t testing.TB) *Set { return load(t, "testdata", "test-set.yaml") }

func on(day string) wim.Time {
	d, err := time.ParseInLocation("2006-01-02 15:04:05", day, time.FixedZone("", 8*3600))
	if err != nil {
		panic(err)
	}
	return wim.TimeOf(d)
}

// sound are facts that weaken nothing: an exact certified instrument, n axles of a known configuration, one
// goods vehicle without registration.
func sound(n int, c wim.Configuration, gross wim.Kg) *wim.Facts {
	f := &wim.Facts{
		Time: on("2026-03-01 10:00:00"), Clock: wim.ClockSynchronised, Purpose: wim.Enforcement,
		Road: wim.Road{Name: "G5", Class: "expressway"},
		Instrument: wim.Instrument{ID: "scale-1", Certificate: &wim.Certificate{
			Number: "T-1", Scheme: "JJG 907", Class: "5", ValidFrom: on("2026-01-01 00:00:00"), ValidUntil: on("2027-01-01 00:00:00"),
			Lanes: []wim.LaneID{1}, SpeedMin: 50, SpeedMax: 1000, Min: 500, Max: 200000, Division: 20,
		}},
		Vehicle: wim.Vehicle{Lane: 1, Speed: 600, Gross: gross, AxleSum: gross, Configuration: c, Sure: true},
		Units:   []wim.Unit{{Plate: "川A12345", Kind: wim.Goods}},
	}
	for i := range n {
		f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(i + 1), Load: gross / wim.Kg(n)})
	}
	return f
}

// with changes facts and returns them.
func with(f *wim.Facts, changes ...func(*wim.Facts)) *wim.Facts {
	for _, c := range changes {
		c(f)
	}
	return f
}

func massError(p wim.Permille) func(*wim.Facts) {
	return func(f *wim.Facts) { f.Instrument.Certificate.MassError = p }
}

func flags(g wim.Flag) func(*wim.Facts) { return func(f *wim.Facts) { f.Vehicle.Flags |= g } }

func unsure(f *wim.Facts) { f.Vehicle.Sure, f.Vehicle.Configuration = false, wim.ConfigurationUnknown }

func noCertificate(f *wim.Facts) { f.Instrument.Certificate = nil }

func kind(k wim.VehicleKind) func(*wim.Facts) { return func(f *wim.Facts) { f.Units[0].Kind = k } }

// licensed gives the first units these registrations; a train gets its trailers by it.
func licensed(regs ...wim.Registration) func(*wim.Facts) {
	return func(f *wim.Facts) {
		f.Units = f.Units[:0]
		for i := range regs {
			if regs[i].Kind == wim.KindUnknown {
				regs[i].Kind = wim.Goods
			}
			f.Units = append(f.Units, wim.Unit{Plate: regs[i].Plate, Kind: wim.Goods, Registration: &regs[i]})
		}
	}
}

// A truck, a tractor and a trailer whose figures are round.
func truckLicence() wim.Registration {
	return wim.Registration{Plate: "川A00001", Kerb: 8000, Rated: 10000, Gross: 18000, DriveAxles: 1}
}

func tractorLicence() wim.Registration {
	return wim.Registration{Plate: "川A00002", Kerb: 9000, Towed: 40000, DriveAxles: 2}
}

func trailerLicence() wim.Registration {
	return wim.Registration{Plate: "川A0003挂", Kerb: 7000, Rated: 33000, Gross: 40000}
}

func judge(s *Set, f *wim.Facts) *wim.Verdict {
	var v wim.Verdict
	s.Judge(f, &v)
	return &v
}

func opinion(t testing.TB, v *wim.Verdict, c wim.Competence) wim.Opinion {
	t.Helper()
	o, ok := v.Of(c)
	if !ok {
		t.Fatalf("no opinion of %s", c)
	}
	return o
}

// findings gives those of one competence.
func findings(v *wim.Verdict, c wim.Competence) []wim.Finding {
	var out []wim.Finding
	for _, f := range v.Findings {
		if f.Competence == c {
			out = append(out, f)
		}
	}
	return out
}

func readRules(id string) ([]byte, error) {
	return os.ReadFile(filepath.Join("..", "configs", "rules", id+".yaml"))
}

// replaceOnce changes a text that must be there.
func replaceOnce(t testing.TB, b []byte, from, to string) []byte {
	t.Helper()
	if !strings.Contains(string(b), from) {
		t.Fatalf("%q is not there", from)
	}
	return []byte(strings.Replace(string(b), from, to, 1))
}
