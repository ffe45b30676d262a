package rules

import (
	"testing"

	"github.com/axlegate/axlegate/wim"
)

// A weight is evidence within what the certificate lists, and nowhere else.
func TestACertificateHoldsWithinWhatItLists(t *testing.T) {
	s := china(t)
	cert := func(change func(*wim.Certificate)) func(*wim.Facts) {
		return func(f *wim.Facts) { change(f.Instrument.Certificate) }
	}
	winter := cert(func(c *wim.Certificate) { c.TemperatureMin, c.TemperatureMax = 2631, 3131 }) // -10 to 40 degrees
	at := func(d wim.DeciKelvin) func(*wim.Facts) { return func(f *wim.Facts) { f.Vehicle.Temperature = d } }
	along := cert(func(c *wim.Certificate) { c.Directions = []wim.Direction{wim.WithLane} })
	calibrated := func(at wim.Time) func(*wim.Facts) {
		return func(f *wim.Facts) { f.Instrument.Calibration = &wim.AppliedCalibration{Version: "2", Applied: at} }
	}
	scheme := func(name string) func(*wim.Facts) { return cert(func(c *wim.Certificate) { c.Scheme = name }) }
	for _, c := range []struct {
		name    string
		changes []func(*wim.Facts)
		want    wim.Reason
	}{
		{"nothing is listed but what was before", nil, 0},
		{"a temperature that nobody asks for", []func(*wim.Facts){at(3999)}, 0},
		{"at the lowest temperature", []func(*wim.Facts){winter, at(2631)}, 0},
		{"a tenth below it", []func(*wim.Facts){winter, at(2630)}, wim.TemperatureNotCertified},
		{"at the highest", []func(*wim.Facts){winter, at(3131)}, 0},
		{"a tenth above it", []func(*wim.Facts){winter, at(3132)}, wim.TemperatureNotCertified},
		{"no temperature where one is asked for", []func(*wim.Facts){winter}, wim.TemperatureUnknown},
		{"along the lane", []func(*wim.Facts){along}, 0},
		{"against the lane", []func(*wim.Facts){along, func(f *wim.Facts) { f.Vehicle.Flags = wim.Reverse }}, wim.DirectionNotCertified | wim.MeasurementVoid},
		{"calibrated before it was verified", []func(*wim.Facts){calibrated(on("2025-12-31 23:59:59"))}, 0},
		{"calibrated when it was", []func(*wim.Facts){calibrated(on("2026-01-01 00:00:00"))}, wim.CalibratedSince},
		{"calibrated since", []func(*wim.Facts){calibrated(on("2026-02-01 00:00:00"))}, wim.CalibratedSince},
		{"calibrated and verified anew", []func(*wim.Facts){calibrated(on("2026-02-01 00:00:00")), cert(func(c *wim.Certificate) { c.ValidFrom = on("2026-02-10 00:00:00") })}, 0},
		{"OIML R 134", []func(*wim.Facts){scheme("OIML R 134")}, 0},
		{"a national scheme of another name", []func(*wim.Facts){scheme("NTEP")}, 0},
		{"COST 323 certifies a confidence", []func(*wim.Facts){scheme("Cost 323 A(5)")}, wim.NoCertificate},
		{"so does ASTM", []func(*wim.Facts){scheme("ASTM E1318")}, wim.NoCertificate},
		{"a calibration is none", []func(*wim.Facts){scheme("Calibration certificate")}, wim.NoCertificate},
		{"校准 is not 检定", []func(*wim.Facts){scheme("校准证书")}, wim.NoCertificate},
	} {
		var v wim.Verdict
		s.Judge(with(sound(6, wim.Train, 60_000), c.changes...), &v)
		o, ok := v.Of(wim.RoadAdministration)
		const mine = wim.NoCertificate | wim.MeasurementVoid | wim.DirectionNotCertified | wim.TemperatureNotCertified | wim.TemperatureUnknown | wim.CalibratedSince
		if !ok || o.Reasons&mine != c.want {
			t.Errorf("%s: %v, want %v", c.name, o.Reasons.Names(), c.want.Names())
		}
		if c.want.Any(wim.VoidReasons) != (o.Standing == wim.Void) || c.want != 0 && o.Standing == wim.Evidence {
			t.Errorf("%s: standing %s", c.name, o.Standing)
		}
	}
}
