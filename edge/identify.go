package edge

import "github.com/axlegate/axlegate/wim"

// identify fills Units and the plate flags of f from all plates read of its vehicle. It is pure: a supplement
// runs it again on the passage's reads and the new one together.
//
// A front plate is the drawing vehicle's. A rear plate ending in 挂 is the trailer's and never contradicts the
// front. Any other rear plate is the drawing vehicle's too: it stands in where the front was not read, and
// where it differs the plate is uncertain. Of several reads of one end the surest counts.
func identify(f *wim.Facts, reads []wim.PlateRead, table lookup, sure wim.Permille, doubt bool) {
	var front, rear, trailer *wim.PlateRead
	surest := func(best **wim.PlateRead, r *wim.PlateRead) {
		switch {
		case *best == nil:
			*best = r
			return
		case (*best).Text != r.Text && (*best).Confidence >= sure && r.Confidence >= sure:
			doubt = true // two sure reads of one end that differ
		}
		if r.Confidence > (*best).Confidence {
			*best = r
		}
	}
	for i := range reads {
		r := &reads[i]
		switch {
		case r.Text == "":
		case r.End == wim.Front:
			surest(&front, r)
		case r.Trailer():
			surest(&trailer, r)
		default:
			surest(&rear, r)
		}
	}
	switch {
	case front == nil:
		front = rear
	case rear != nil && rear.Text != front.Text:
		doubt = true
	}
	v := &f.Vehicle
	if trailer != nil && v.Configuration == wim.Rigid && v.Sure {
		trailer, doubt = nil, true // a trailer's plate behind what was weighed as a truck alone
	}
	f.Units = append(f.Units[:0:0], unit(front, table, sure, &doubt))
	if trailer != nil {
		f.Units = append(f.Units, unit(trailer, table, sure, &doubt))
	}
	v.Flags &^= wim.PlateUncertain | wim.TrailerUnread
	if doubt {
		v.Flags |= wim.PlateUncertain
	}
	if v.Configuration == wim.Train && trailer == nil {
		v.Flags |= wim.TrailerUnread
	}
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
