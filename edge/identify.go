package edge

import "github.com/axlegate/axlegate/wim"

// identify fills Units and the plate flags of f from all plates read of its vehicle. It is pure: a supplement
// runs it again on the passage's reads and the new one together.
//
// Which plate is whose, and whether reads contradict each other, wim.AgreePlates says.
func identify(f *wim.Facts, reads []wim.PlateRead, table lookup, sure wim.Permille, doubt bool) {
	agreed := wim.AgreePlates(reads, sure)
	drawing, trailer := agreed.Drawing, agreed.Trailer
	doubt = doubt || agreed.Doubt
	v := &f.Vehicle
	if trailer != nil && v.Configuration == wim.Rigid && v.Sure {
		trailer, doubt = nil, true // a trailer's plate behind what was weighed as a truck alone
	}
	f.Units = append(f.Units[:0:0], unit(drawing, table, sure, &doubt))
	if trailer != nil {
		f.Units = append(f.Units, unit(trailer, table, sure, &doubt))
	}
	v.Flags &^= wim.PlateUncertain | wim.TrailerUnread | wim.LiftAxle
	if n := licensedAxles(f.Units, v.Configuration); n > len(v.Axles) && !doubt {
		v.Flags |= wim.LiftAxle
	}
	if doubt {
		v.Flags |= wim.PlateUncertain
	}
	if v.Configuration == wim.Train && trailer == nil {
		v.Flags |= wim.TrailerUnread
	}
}

// licensedAxles is how many axles the licences of all units have, 0 where one is not known.
func licensedAxles(units []wim.Unit, c wim.Configuration) int {
	if c == wim.Train && len(units) < 2 {
		return 0
	}
	n := 0
	for i := range units {
		r := units[i].Registration
		if r == nil || r.Axles == 0 {
			return 0
		}
		n += int(r.Axles)
	}
	return n
}

func unit(r *wim.PlateRead, table lookup, sure wim.Permille, doubt *bool) wim.Unit {
	if r == nil {
		return wim.Unit{}
	}
	if r.Confidence < sure {
		*doubt = true
	}
	u := wim.Unit{Plate: r.Text, Color: r.Color, Confidence: r.Confidence, Kind: r.Kind}
	if reg := table.Find(r.Text); reg != nil {
		u.Registration, u.Kind = reg, reg.Kind
	}
	return u
}
