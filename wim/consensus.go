package wim

import (
	"cmp"
	"slices"
)

// PlateConsensus is what all reads of one vehicle together say of its plates.
type PlateConsensus struct {
	Drawing *PlateRead // the read that stands for the drawing vehicle's plate; nil when none was read
	Trailer *PlateRead // the same of the trailer
	// Doubt says that reads contradict each other, or that a plate stood where it cannot.
	Doubt bool
}

// misread is the largest PlateDistance at which two texts may be one plate read twice: two look-alikes, or a
// province not read.
const misread = 2 * costLookAlike

// AlikePlates tells whether two normalised texts may be one plate read twice, because they are equal or one may be
// the other misread. A text that is empty is like none.
func AlikePlates(a, b string) bool { return a != "" && b != "" && PlateDistance(a, b) <= misread }

// AgreePlates joins the reads of one vehicle. The order of the reads does not matter, and neither does a read that
// comes twice. Texts are normalised; a read without text says nothing.
//
// A front plate is the drawing vehicle's. A rear plate ending in 挂 is the trailer's and never contradicts the
// front; no trailer has a plate in front (GA 36-2018), so one seen there is doubtful. Any other rear plate is the
// drawing vehicle's too: it stands in where the front was not read, and is in doubt with it where the two differ.
//
// Of several texts at one end the surest stands; two that are both at least sure contradict each other. Texts so
// alike that one may be the other misread are one plate when just one of them has a plate's form: that one
// stands, and there is no contradiction.
func AgreePlates(reads []PlateRead, sure Permille) PlateConsensus {
	var front, rear, trailer []PlateRead
	for _, r := range reads {
		switch {
		case r.Text == "":
		case r.End == Front:
			front = append(front, r)
		case r.Trailer():
			trailer = append(trailer, r)
		default:
			rear = append(rear, r)
		}
	}
	var c PlateConsensus
	drawing, differ := surest(front, sure)
	behind, differBehind := surest(rear, sure)
	trailing, differTrailing := surest(trailer, sure)
	c.Trailer, c.Doubt = trailing, differ || differBehind || differTrailing
	switch {
	case drawing == nil:
		drawing = behind
	case behind != nil && behind.Text != drawing.Text:
		if better := sameMisread(drawing, behind); better != nil {
			drawing = better
		} else {
			c.Doubt = true
		}
	}
	c.Drawing = drawing
	if drawing != nil && drawing.Trailer() {
		c.Doubt = true
	}
	return c
}

// surest picks the read that stands for one end.
func surest(reads []PlateRead, sure Permille) (best *PlateRead, doubt bool) {
	if len(reads) == 0 {
		return nil, false
	}
	reads = slices.Clone(reads)
	slices.SortFunc(reads, func(a, b PlateRead) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(formless(a.Text), formless(b.Text)), cmp.Compare(a.Text, b.Text),
			cmp.Compare(b.Color, a.Color), cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.Arrival, b.Arrival), cmp.Compare(a.Camera, b.Camera), cmp.Compare(a.Event, b.Event))
	})
	best = &reads[0]
	for i := range reads { // the surest of those that the surest may be misread from
		if better := sameMisread(&reads[0], &reads[i]); better == &reads[i] {
			best = better
			break
		}
	}
	for i := range reads {
		r := &reads[i]
		if r.Text == best.Text || r.Confidence < sure || best.Confidence < sure && reads[0].Confidence < sure {
			continue
		}
		if sameMisread(best, r) != best {
			doubt = true
		}
	}
	return best, doubt
}

func formless(text string) int {
	if FormOfPlate(text) == NoForm {
		return 1
	}
	return 0
}

// sameMisread is the one of two reads that has a plate's form, where the other may be it misread; nil where both
// have one, or none, or they lie too far apart.
func sameMisread(a, b *PlateRead) *PlateRead {
	// Of a plate of China whose province was not read the rest looks like one of elsewhere.
	fa, fb := FormOfPlate(a.Text), FormOfPlate(b.Text)
	good := func(f, other PlateForm) bool {
		return f != NoForm && (other == NoForm || other == ForeignForm && f != ForeignForm)
	}
	if PlateDistance(a.Text, b.Text) > misread {
		return nil
	}
	switch {
	case good(fa, fb):
		return a
	case good(fb, fa):
		return b
	}
	return nil
}
