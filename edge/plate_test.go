package edge

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

const licences = registrationHeader + "\n" +
	"川A12345,goods,8800,,25000,40000,2,3\n" +
	"川B678挂,goods,6500,33500,40000,,,3\n"

func table(t testing.TB) *Registrations {
	t.Helper()
	r, err := ReadRegistrations("test.csv", strings.NewReader(licences))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func front(text, event string) wim.PlateRead {
	return wim.PlateRead{Camera: "cam-1", Event: event, End: wim.Front, Text: text, Color: wim.Yellow}
}

func rear(text, event string) wim.PlateRead {
	return wim.PlateRead{Camera: "cam-2", Event: event, End: wim.Rear, Text: text, Color: wim.Yellow}
}

func last(t testing.TB, r *rig) *wim.Record {
	t.Helper()
	recs := r.records()
	return recs[len(recs)-1]
}

func TestAPlateReadBeforeItsVehiclesEndStandsInThePassage(t *testing.T) {
	r := newRig(t)
	r.table = table(t)
	r.start()
	jpeg := []byte("\xff\xd8 a picture")
	v := r.scale.vehicle(2, 26000)
	r.push(v[0])
	if !r.camera.read(front("川A12345", "e1"), jpeg) {
		t.Fatal("refused")
	}
	eventually(t, "the lane has the read", func() bool { return len(r.site.lanes[0].plates) == 0 })
	r.push(v[1:]...)
	r.tells(1)
	r.stop()
	p := last(t, r).Passage
	if p == nil || len(p.Reads) != 1 || p.Reads[0].Picture != wim.DigestOf(jpeg) || p.Reads[0].Lane != 1 {
		t.Fatalf("%+v", p)
	}
	u := p.Facts.Units[0]
	if u.Plate != "川A12345" || u.Kind != wim.Goods || u.Registration == nil || u.Registration.Gross != 25000 || p.Order != wim.OrderEnter {
		t.Errorf("%+v, order %q", u, p.Order)
	}
	b, err := os.ReadFile(filepath.Join(r.dir, "pictures", wim.DigestOf(jpeg).String()+".jpg"))
	if err != nil || !bytes.Equal(b, jpeg) {
		t.Errorf("the picture's file: %d bytes, %v", len(b), err)
	}
	for _, o := range r.sign.orders() {
		if o.order == wim.OrderEnter && o.plate != "川A12345" {
			t.Errorf("the sign showed %+v", o)
		}
	}
}

func TestALatePlateFollowsAsASupplementWithFactsAndVerdictOfItsOwn(t *testing.T) {
	r := newRig(t)
	r.table = table(t)
	r.start()
	r.push(r.scale.vehicle(2, 26000)...)
	r.tells(1)
	r.camera.read(front("川A12345", "e1"), []byte("jpeg"))
	r.tells(2)
	r.camera.read(front("川A12345", "e1"), []byte("jpeg")) // the camera did not hear the answer
	eventually(t, "the repeat is known", func() bool { return plates(t, r.site, "repeated") == 1 })
	eventually(t, "the late plate is led to the station", func() bool {
		o := r.sign.orders()
		return len(o) > 0 && o[len(o)-1] == shown{wim.OrderEnter, "川A12345"}
	})
	r.stop()
	recs := r.records()
	passage, s := recs[1], recs[2].Supplement
	if len(recs) != 3 || s == nil {
		t.Fatalf("%q", r.story())
	}
	if s.Of.Seq != passage.Seq || s.Of.Chain != passage.Chain || s.Of.Digest != recs[2].Prev || s.Cause != "late-plate" || len(s.Reads) != 1 {
		t.Errorf("%+v", s)
	}
	before, after := passage.Passage.Facts, s.Facts
	if before.Units[0].Plate != "" || after.Units[0].Registration == nil || after.Vehicle.Gross != 26000 || after.Time != before.Time {
		t.Errorf("before %+v after %+v", before.Units, after.Units)
	}
	if o, _ := s.Verdict.Of(wim.TrafficPolice); o.Outcome != wim.Exceeded {
		t.Errorf("%+v", s.Verdict)
	}
}

func plates(t testing.TB, s *Site, result string) float64 {
	t.Helper()
	families, err := s.m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "axlegate_edge_plates_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == result {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	return 0
}

func TestATrainHasTwoPlatesAndTwoRegistrations(t *testing.T) {
	r := newRig(t)
	r.table = table(t)
	r.start()
	v := trainReadings(r.scale)
	r.push(v[0])
	r.camera.read(front("川A12345", "e1"), nil)
	eventually(t, "the lane has the read", func() bool { return len(r.site.lanes[0].plates) == 0 })
	r.push(v[1:]...)
	r.tells(1)
	r.camera.read(rear("川B678挂", "r1"), nil)
	r.tells(2)
	r.stop()
	recs := r.records()
	p, s := recs[1].Passage, recs[2].Supplement
	if p.Facts.Vehicle.Configuration != wim.Train || !p.Facts.Vehicle.Flags.Has(wim.TrailerUnread) || len(p.Facts.Units) != 1 {
		t.Errorf("passage: %s %v %d units", p.Facts.Vehicle.Configuration, p.Facts.Vehicle.Flags.Names(), len(p.Facts.Units))
	}
	if s == nil || len(s.Facts.Units) != 2 || s.Facts.Vehicle.Flags.Any(wim.TrailerUnread|wim.PlateUncertain) {
		t.Fatalf("supplement: %+v", s)
	}
	if u := s.Facts.Units; u[0].Registration.Towed != 40000 || u[1].Registration.Rated != 33500 {
		t.Errorf("%+v", u)
	}
}

// trainReadings is a six-axle articulated train: 1 + 2 + 3.
func trainReadings(s *fakeScale) []wim.Reading {
	spacings := []wim.Mm{0, 3300, 1350, 6900, 1310, 1310}
	var out []wim.Reading
	for i, d := range spacings {
		a := s.axle(uint8(i+1), 8000)
		a.Axle.Spacing = d
		out = append(out, a)
	}
	return append(out, s.end(6, 48000))
}

func TestALatePlateFindsItsVehicleAfterARestart(t *testing.T) {
	r := newRig(t)
	r.table = table(t)
	r.start()
	v := r.scale.vehicle(2, 26000)
	r.push(v[0])
	r.camera.read(front("", "e0"), []byte("no plate on it"))
	eventually(t, "the lane has the read", func() bool { return len(r.site.lanes[0].plates) == 0 })
	r.push(v[1:]...)
	r.tells(1)
	end := r.records()[1].Passage.Facts.Vehicle.End
	r.stop()
	r.start()
	r.camera.read(front("", "e0"), []byte("no plate on it")) // known from before the restart
	eventually(t, "the repeat is known", func() bool { return plates(t, r.site, "repeated") == 1 })
	late := front("川A12345", "e1")
	late.DeviceTime, late.Arrival = end, end+wim.Time(20*time.Second) // the camera's line was down
	r.camera.read(late, nil)
	r.tells(2)
	r.stop()
	rec := r.records()
	s := rec[2].Supplement
	if s == nil || s.Of.Seq != 2 || s.Facts.Units[0].Plate != "川A12345" || !s.Facts.Vehicle.Flags.Has(wim.PlateUncertain) {
		t.Errorf("%+v", s)
	}
}

func TestAPlateOfNoVehicleIsForgottenWithItsPicture(t *testing.T) {
	r := newRig(t)
	r.change = func(c *Config) { c.Plates.Before, c.Plates.After = time.Millisecond, time.Millisecond }
	r.start()
	r.camera.read(front("川A12345", "e1"), []byte("nobody's business"))
	eventually(t, "it is forgotten", func() bool { return plates(t, r.site, "unmatched") == 1 })
	r.stop()
	entries, err := os.ReadDir(filepath.Join(r.dir, "pictures"))
	if err != nil || len(entries) != 0 || len(r.records()) != 1 {
		t.Errorf("%d files, %q, %v", len(entries), r.story(), err)
	}
}

func TestAPictureThatCannotBeStoredCostsOnlyItself(t *testing.T) {
	r := newRig(t)
	r.start()
	dir := filepath.Join(r.dir, "pictures")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	r.camera.read(front("川A12345", "e1"), []byte("jpeg"))
	r.tells(2)
	if s := last(t, r).Supplement; s == nil || !s.Reads[0].Picture.IsZero() || s.Reads[0].Text != "川A12345" {
		t.Errorf("%+v", s)
	}
}

func TestATooLargePictureIsDroppedAndItsReadKept(t *testing.T) {
	r := newRig(t)
	r.change = func(c *Config) { c.Plates.MaxPicture = 10 }
	r.start()
	r.push(r.scale.vehicle(2, 9000)...)
	r.tells(1)
	r.camera.read(front("川A12345", "e1"), make([]byte, 11))
	r.tells(2)
	if s := last(t, r).Supplement; s == nil || !s.Reads[0].Picture.IsZero() {
		t.Errorf("%+v", s)
	}
}

func at(sec float64) wim.Time {
	return wim.Time(1_790_000_000_000_000_000) + wim.Time(math.Round(sec*1e3))*1e6
}

func TestAPlateGoesToTheVehicleItIsNearestTo(t *testing.T) {
	type vehicle struct{ start, end float64 }
	type read struct {
		end  wim.End
		when float64
		text string
	}
	for name, tc := range map[string]struct {
		vehicles []vehicle
		reads    []read // all arrive before the end of a vehicle that ends later
		want     []string
	}{
		"read while it is on the scale":               {[]vehicle{{10, 11}}, []read{{wim.Front, 10.5, "A"}}, []string{"A"}},
		"read shortly before it comes":                {[]vehicle{{10, 11}}, []read{{wim.Front, 8, "A"}}, []string{"A"}},
		"read too long before it comes":               {[]vehicle{{10, 11}}, []read{{wim.Front, 6, "A"}}, []string{""}},
		"read shortly after it left":                  {[]vehicle{{10, 11}}, []read{{wim.Front, 12.5, "A"}}, []string{"A"}},
		"read too long after it left":                 {[]vehicle{{10, 11}}, []read{{wim.Front, 15, "A"}}, []string{""}},
		"a rear plate is never read before the front": {[]vehicle{{10, 11}}, []read{{wim.Rear, 9.5, "A挂"}}, []string{""}},
		"two vehicles close behind each other": {[]vehicle{{10, 11}, {12.5, 13.5}},
			[]read{{wim.Front, 10.2, "A"}, {wim.Rear, 11.3, "A挂"}, {wim.Front, 12.2, "B"}, {wim.Rear, 13.6, "B挂"}}, []string{"A A挂", "B B挂"}},
		"the first one's plate was not read, the second's must not take its place": {[]vehicle{{10, 11}, {12.5, 13.5}},
			[]read{{wim.Front, 12.3, "B"}}, []string{"", "B"}},
		"the second one's plate was not read": {[]vehicle{{10, 11}, {12.5, 13.5}}, []read{{wim.Front, 10.1, "A"}}, []string{"A", ""}},
		"both plates come after the first one's end": {[]vehicle{{10, 11}, {12.5, 13.5}},
			[]read{{wim.Front, 11.2, "A"}, {wim.Front, 12.4, "B"}}, []string{"A", "B"}},
		"two cameras read one plate, one of them an O for a 0": {[]vehicle{{10, 11}}, []read{{wim.Front, 10.1, "川A02345"}, {wim.Front, 10.4, "川AO2345"}}, []string{"川A02345 川AO2345"}},
		"two cameras read one plate":                           {[]vehicle{{10, 11}}, []read{{wim.Front, 10.1, "A"}, {wim.Front, 10.4, "A"}}, []string{"A A"}},
		"an empty read holds the place for no one":             {[]vehicle{{10, 11}}, []read{{wim.Front, 10.1, ""}, {wim.Front, 10.4, "A"}}, []string{" A"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMatcher(PlateConfig{Before: 3 * time.Second, After: 3 * time.Second, Late: time.Minute, Sure: 800})
			type event struct {
				when float64
				do   func()
			}
			var got []*passed
			begun := wim.Time(0)
			var events []event
			for i, r := range tc.reads {
				events = append(events, event{r.when, func() {
					m.arrived(arrivedPlate{read: wim.PlateRead{Camera: "c", Event: fmt.Sprint(i), End: r.end, Text: r.text, Arrival: at(r.when), Confidence: 900}})
				}})
			}
			for _, v := range tc.vehicles {
				events = append(events, event{v.start, func() { begun = at(v.start) }}, event{v.end, func() {
					p := &passed{name: &wim.RecordRef{}, start: at(v.start), end: at(v.end)}
					m.closed(p)
					got, begun = append(got, p), 0
				}})
			}
			slices.SortStableFunc(events, func(a, b event) int { return int(1000 * (a.when - b.when)) })
			step := 0
			for now := 5.0; now < 30; now += 0.05 {
				for step < len(events) && events[step].when <= now {
					events[step].do()
					step++
				}
				m.settle(at(now), begun, false)
			}
			for i, p := range got {
				var texts []string
				for _, r := range p.reads {
					texts = append(texts, r.Text)
				}
				if have := strings.Join(texts, " "); have != tc.want[i] {
					t.Errorf("vehicle %d has %q, want %q", i, have, tc.want[i])
				}
			}
			if len(m.waiting) != 0 {
				t.Errorf("%d reads still wait", len(m.waiting))
			}
		})
	}
}

func TestUnitsFollowFromThePlatesRead(t *testing.T) {
	with := func(r wim.PlateRead, confidence wim.Permille) wim.PlateRead { r.Confidence = confidence; return r }
	for name, tc := range map[string]struct {
		configuration wim.Configuration
		unsure        bool
		reads         []wim.PlateRead
		plates        []string
		flags         wim.Flag
	}{
		"no plate":                              {wim.Rigid, false, nil, []string{""}, 0},
		"a front plate":                         {wim.Rigid, false, []wim.PlateRead{with(front("A", ""), 900)}, []string{"A"}, 0},
		"a train without its trailer":           {wim.Train, false, []wim.PlateRead{with(front("A", ""), 900)}, []string{"A"}, wim.TrailerUnread},
		"a trailer's plate alone":               {wim.Train, false, []wim.PlateRead{with(rear("B挂", ""), 900)}, []string{"", "B挂"}, 0},
		"a train with both":                     {wim.Train, false, []wim.PlateRead{with(rear("B挂", ""), 900), with(front("A", ""), 900)}, []string{"A", "B挂"}, 0},
		"a doubtful read":                       {wim.Rigid, false, []wim.PlateRead{with(front("A", ""), 500)}, []string{"A"}, wim.PlateUncertain},
		"a doubtful trailer":                    {wim.Train, false, []wim.PlateRead{with(front("A", ""), 900), with(rear("B挂", ""), 500)}, []string{"A", "B挂"}, wim.PlateUncertain},
		"the surer of two":                      {wim.Rigid, false, []wim.PlateRead{with(front("A", ""), 500), with(front("B", ""), 900)}, []string{"B"}, 0},
		"two sure ones that differ":             {wim.Rigid, false, []wim.PlateRead{with(front("A", ""), 900), with(front("B", ""), 950)}, []string{"B"}, wim.PlateUncertain},
		"the rear plate of a truck stands in":   {wim.Rigid, false, []wim.PlateRead{with(rear("A", ""), 900)}, []string{"A"}, 0},
		"the rear plate of a truck contradicts": {wim.Rigid, false, []wim.PlateRead{with(front("A", ""), 900), with(rear("B", ""), 900)}, []string{"A"}, wim.PlateUncertain},
		"an O where none can stand":             {wim.Rigid, false, []wim.PlateRead{with(front("川AO2345", ""), 950), with(front("川A02345", ""), 900)}, []string{"川A02345"}, 0},
		"a trailer behind a truck alone":        {wim.Rigid, false, []wim.PlateRead{with(front("A", ""), 900), with(rear("B挂", ""), 900)}, []string{"A"}, wim.PlateUncertain},
		"a trailer behind what may be a train":  {wim.Rigid, true, []wim.PlateRead{with(front("A", ""), 900), with(rear("B挂", ""), 900)}, []string{"A", "B挂"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := wim.Facts{Vehicle: wim.Vehicle{Configuration: tc.configuration, Sure: !tc.unsure, Flags: wim.TrailerUnread | wim.PlateUncertain | wim.Imbalance}}
			identify(&f, tc.reads, lookup{}, 800, false)
			var got []string
			for _, u := range f.Units {
				got = append(got, u.Plate)
			}
			if !slices.Equal(got, tc.plates) || f.Vehicle.Flags != tc.flags|wim.Imbalance {
				t.Errorf("%q %v", got, f.Vehicle.Flags.Names())
			}
		})
	}
}

func TestFewerAxlesThanTheLicencesSayAreFlagged(t *testing.T) {
	with := func(r wim.PlateRead, confidence wim.Permille) wim.PlateRead { r.Confidence = confidence; return r }
	table, err := ReadRegistrations("t", strings.NewReader(registrationHeader+"\nA,goods,8800,,25000,40000,2,3\nB挂,goods,6100,33900,40000,,,3\nC,goods,9000,16000,25000,,2,\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name          string
		configuration wim.Configuration
		reads         []wim.PlateRead
		axles         int
		want          wim.Flag
	}{
		{"as many as both licences say", wim.Train, []wim.PlateRead{with(front("A", ""), 900), with(rear("B挂", ""), 900)}, 6, 0},
		{"one fewer", wim.Train, []wim.PlateRead{with(front("A", ""), 900), with(rear("B挂", ""), 900)}, 5, wim.LiftAxle},
		{"one more is another matter", wim.Train, []wim.PlateRead{with(front("A", ""), 900), with(rear("B挂", ""), 900)}, 7, 0},
		{"a train whose trailer was not read", wim.Train, []wim.PlateRead{with(front("A", ""), 900)}, 2, wim.TrailerUnread},
		{"a plate that is in doubt says nothing of axles", wim.Rigid, []wim.PlateRead{with(front("A", ""), 500)}, 2, wim.PlateUncertain},
		{"a licence that does not say it", wim.Rigid, []wim.PlateRead{with(front("C", ""), 900)}, 2, 0},
		{"a licence that nobody has", wim.Rigid, []wim.PlateRead{with(front("D", ""), 900)}, 2, 0},
	} {
		f := wim.Facts{Vehicle: wim.Vehicle{Configuration: tc.configuration, Sure: true, Axles: make([]wim.Axle, tc.axles)}}
		for range 2 { // a supplement runs it again
			identify(&f, tc.reads, lookup{table: table}, 800, false)
		}
		if f.Vehicle.Flags != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, f.Vehicle.Flags.Names(), tc.want.Names())
		}
	}
}

func TestARepeatedCameraEventAmendsAndNeverDoubles(t *testing.T) {
	m := newMatcher(PlateConfig{Before: 3 * time.Second, After: 3 * time.Second, Late: time.Minute})
	read := func(text string, confidence wim.Permille, picture string) arrivedPlate {
		p := arrivedPlate{read: wim.PlateRead{Camera: "c", Event: "e", End: wim.Front, Text: text, Confidence: confidence, Arrival: at(10)}}
		if picture != "" {
			p.jpeg = []byte(picture)
			p.read.Picture = wim.DigestOf(p.jpeg)
		}
		return p
	}
	m.arrived(read("", 0, ""))
	if s, _ := m.arrived(read("A", 700, "jpeg")); s != readRepeated || len(m.waiting) != 1 || m.waiting[0].read.Text != "A" || m.waiting[0].jpeg == nil {
		t.Fatalf("%d %+v", s, m.waiting)
	}
	p := &passed{name: &wim.RecordRef{}, start: at(9), end: at(11)}
	if reads, jpegs := m.closed(p); len(reads) != 1 || len(jpegs) != 1 {
		t.Fatalf("%v", reads)
	}
	if s, _ := m.arrived(read("A", 700, "jpeg")); s != readRepeated {
		t.Errorf("the same again: %d", s)
	}
	s, got := m.arrived(read("B", 900, "jpeg"))
	if s != readAmends || got.to != p || got.read.Text != "B" || len(p.reads) != 1 || p.reads[0].Text != "B" {
		t.Errorf("a surer account: %d %+v %+v", s, got, p.reads)
	}
	for i := range maxWaiting + 3 {
		m.arrived(arrivedPlate{read: wim.PlateRead{Camera: "c", Event: fmt.Sprint(i), End: wim.Front, Text: "X", Arrival: at(500)}})
	}
	if len(m.waiting) != maxWaiting || m.overflow() != 3 || m.overflow() != 0 {
		t.Errorf("%d wait", len(m.waiting))
	}
}

func TestOfManyPicturesAtOnceOnlyTheOneThatFailsIsGivenUp(t *testing.T) {
	a := newAlbum(t)
	var batch []group
	for i := range 3 * picturesAtOnce {
		jpeg := fmt.Appendf(nil, "picture %d", i)
		d := wim.DigestOf(jpeg)
		if i == 5 { // a folder stands where its file should be

			if err := os.MkdirAll(filepath.Join(a.store.path(d), "in the way"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		batch = append(batch, group{jpegs: [][]byte{jpeg}, drafts: []journal.Draft{{Kind: wim.KindSupplement,
			Supplement: &wim.Supplement{Reads: []wim.PlateRead{{Picture: d}}}, Pictures: []journal.Picture{{Digest: d, Size: int64(len(jpeg))}}}}})
	}
	a.recorder.savePictures(batch)
	for i := range batch {
		d := &batch[i].drafts[0]
		if i == 5 {
			if len(d.Pictures) != 0 || !d.Supplement.Reads[0].Picture.IsZero() {
				t.Errorf("%+v names a picture that is not there", d)
			}
			continue
		}
		if len(d.Pictures) != 1 || d.Supplement.Reads[0].Picture != d.Pictures[0].Digest {
			t.Fatalf("picture %d: %+v", i, d)
		}
		if b, err := os.ReadFile(a.store.path(d.Pictures[0].Digest)); err != nil || string(b) != fmt.Sprintf("picture %d", i) {
			t.Errorf("picture %d: %q, %v", i, b, err)
		}
	}
	if n := labelled(t, a.Site, "axlegate_edge_pictures_total", "not-stored"); n != 1 {
		t.Errorf("%v pictures were given up, want only one", n)
	}
}
