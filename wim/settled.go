package wim

import "time"

// Settled finds the weight of a load at rest in the indications of one instrument, in order of arrival. The
// instrument's own word that it is stable is needed where it has one, and never enough: the weight must keep within a
// band for a time, without a gap. It is pure: time is what the indications bear. The zero value is not usable: all
// limits must be above 0, but Band, which may be 0.
type Settled struct {
	Span  time.Duration // for so long the weight must keep
	Gap   time.Duration // a longer pause between two indications begins anew
	Band  Kg            // the largest weight may be above the smallest one by so much
	Least int           // at least so many indications
	Which Weights       // the weight to follow: one of TellsGross, TellsNet and TellsTare; 0 means TellsGross

	first, last Time
	low, high   Kg
	count       int
}

// Take looks at the next indication. It returns its weight and true when the load has settled: this and all
// indications of the last Span keep within Band. An indication that carries no weight, or is Unweighable, Dynamic or
// not Stable where that is known, begins anew, and so does one that is earlier than the one before.
func (s *Settled) Take(in Indication) (Kg, bool) {
	which := s.Which
	if which == 0 {
		which = TellsGross
	}
	var kg Kg
	switch which {
	case TellsGross:
		kg = in.Gross
	case TellsNet:
		kg = in.Net
	case TellsTare:
		kg = in.Tare
	}
	if !in.Tells.Has(which) || in.State.Any(Unweighable|Dynamic) || in.Knows.Has(Stable) && !in.State.Has(Stable) {
		s.count = 0
		return 0, false
	}
	broken := s.count == 0 || in.Arrival < s.last || time.Duration(in.Arrival-s.last) > s.Gap
	s.last = in.Arrival
	if low, high := min(s.low, kg), max(s.high, kg); !broken && int64(high)-int64(low) <= int64(s.Band) {
		s.low, s.high = low, high
		s.count++
	} else {
		s.first, s.low, s.high, s.count = in.Arrival, kg, kg, 1
	}
	return kg, s.count >= s.Least && time.Duration(s.last-s.first) >= s.Span
}
