package edge

import (
	"errors"
	"testing"
	"time"

	"github.com/axlegate/axlegate/wim"
)

func keyedLicence() *wim.Registration {
	return &wim.Registration{Kind: wim.Goods, Kerb: 8000, Rated: 9000, Gross: 17000, Axles: 2}
}

func TestWhatStaffKeyBecomesASupplementUnderTheirName(t *testing.T) {
	r := newRig(t)
	r.start()
	r.push(r.scale.vehicle(2, 20000)...)
	account := func() *Account {
		t.Helper()
		all, err := r.site.Accounts(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			return nil
		}
		return all[0]
	}
	eventually(t, "the passage is on the disk", func() bool { return account() != nil })
	before := account()
	if o, _ := before.Verdict.Of(wim.TrafficPolice); o.Outcome != wim.Unknown {
		t.Fatalf("without a plate the police's outcome is %q", o.Outcome)
	}
	key := func() {
		t.Helper()
		if err := r.site.Key(t.Context(), Keyed{Of: before.Ref, By: "zhang", Units: []wim.Unit{{Plate: "川 a·12345", Registration: keyedLicence()}}}); err != nil {
			t.Fatal(err)
		}
	}
	key()
	after := account()
	if len(after.Supplements) != 1 {
		t.Fatalf("%d supplements", len(after.Supplements))
	}
	s := after.Supplements[0].Supplement
	if s.Cause != wim.SupplementKeyed || s.By != "zhang" || s.Of != before.Ref || len(s.Reads) != 0 {
		t.Errorf("supplement %+v", s)
	}
	if u := s.Facts.Units; len(u) != 1 || u[0].Plate != "川A12345" || u[0].Registration == nil || u[0].Registration.Plate != "川A12345" || u[0].Registration.Gross != 17000 {
		t.Errorf("units %+v", u)
	}
	if o, _ := s.Verdict.Of(wim.TrafficPolice); o.Outcome != wim.Exceeded {
		t.Errorf("with the licence the police's outcome is %q", o.Outcome)
	}

	// A late plate says something else: what a person saw stands.
	if !r.camera.read(front("川A12346", "late"), nil) {
		t.Fatal("the camera is not heard")
	}
	eventually(t, "the late plate's supplement", func() bool { return len(account().Supplements) == 2 })
	late := account().Supplements[1].Supplement
	if late.Cause != wim.SupplementPlate || late.Facts.Units[0].Plate != "川A12345" || late.Facts.Vehicle.Flags.Has(wim.PlateUncertain) {
		t.Errorf("the late plate overruled what was keyed: %+v", late.Facts.Units)
	}

	// After a restart the journal is all there is.
	r.stop()
	r.start()
	key()
	if n := len(account().Supplements); n != 3 {
		t.Errorf("%d supplements after the restart", n)
	}

	// The next passage of the plate has the licence.
	if !r.camera.read(front("川A12345", "again"), nil) {
		t.Fatal("the camera is not heard")
	}
	r.push(r.scale.vehicle(2, 16000)...)
	eventually(t, "the second passage", func() bool { return account().Ref != before.Ref })
	eventually(t, "its licence", func() bool { u := account().Facts.Units; return len(u) == 1 && u[0].Registration != nil })
}

func TestWhatIsKeyedAndCannotBeMeantIsRefused(t *testing.T) {
	unit := func(plate string, edit func(*wim.Registration)) wim.Unit {
		l := keyedLicence()
		edit(l)
		return wim.Unit{Plate: plate, Registration: l}
	}
	fine := func(*wim.Registration) {}
	for _, c := range []struct {
		name string
		k    Keyed
	}{
		{"nobody keyed it", Keyed{Units: []wim.Unit{unit("川A12345", fine)}}},
		{"no vehicle", Keyed{By: "zhang"}},
		{"more vehicles than a road train has", Keyed{By: "zhang", Units: []wim.Unit{unit("1", fine), unit("2", fine), unit("3", fine), unit("4", fine), unit("5", fine)}}},
		{"a vehicle without a plate", Keyed{By: "zhang", Units: []wim.Unit{unit(" · ", fine)}}},
		{"one plate twice", Keyed{By: "zhang", Units: []wim.Unit{unit("川A12345", fine), unit("川a 12345", fine)}}},
		{"a mass below zero", Keyed{By: "zhang", Units: []wim.Unit{unit("川A12345", func(r *wim.Registration) { r.Rated = -1 })}}},
		{"a mass beyond all licences", Keyed{By: "zhang", Units: []wim.Unit{unit("川A12345", func(r *wim.Registration) { r.Gross = keyedMass + 1 })}}},
		{"a licence without a mass", Keyed{By: "zhang", Units: []wim.Unit{{Plate: "川A12345", Registration: &wim.Registration{}}}}},
		{"a kerb mass above the permitted gross", Keyed{By: "zhang", Units: []wim.Unit{unit("川A12345", func(r *wim.Registration) { r.Kerb = 18000 })}}},
	} {
		if err := c.k.Validate(); !errors.Is(err, ErrKeyed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	r := newRig(t)
	r.start()
	err := r.site.Key(t.Context(), Keyed{Of: wim.RecordRef{Site: testSite, Seq: 77}, By: "zhang", Units: []wim.Unit{unit("川A12345", fine)}})
	if !errors.Is(err, ErrNoPassage) {
		t.Errorf("a passage that is not there: %v", err)
	}
}

func TestKeyedLicencesAreBoundedAndAge(t *testing.T) {
	var k keyedLicences
	now := time.Unix(1_800_000_000, 0)
	k.put([]wim.Unit{{Plate: "old", Registration: keyedLicence()}}, now)
	if k.find("old", now.Add(keyedFor)) == nil || k.find("old", now.Add(keyedFor+1)) != nil {
		t.Error("it must count for a day and no longer")
	}
	for i := range keyedKept {
		k.put([]wim.Unit{{Plate: string(rune('一' + i)), Registration: keyedLicence()}, {Plate: "no licence"}}, now)
	}
	if len(k.by) != keyedKept || k.find("old", now) != nil {
		t.Errorf("%d are kept", len(k.by))
	}
}
